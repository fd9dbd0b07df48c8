// How much each of n tokens of an utterance contributes to ln p of tokens of a reply, from the ln p that remain when
// tokens are left out.
//   exact    Shapley values: the mean over all orders of what a token adds to those before it (Shapley 1953)
//   lerg_s   the sampler of LERG (Tuan et al. 2021, arXiv:2106.06528), as its released code draws: a token's mean
//   addition
//            to sets that lack it and at most half of all tokens. Not an estimate of Shapley values
//   random   noise, a control
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "assay/error.h"
#include "assay/random.h"

namespace assay::explain {

// The kept tokens of an utterance, as bits.
using Kept = uint64_t;
// By set, ln p of each explained token of the reply.
using Values = std::function<std::vector<std::vector<double>>(const std::vector<Kept>&)>;
// [token of the utterance][explained token]
using Contributions = std::vector<std::vector<double>>;

inline constexpr int64_t kMostExact = 16, kMostTokens = 62;

// Asks for every set once.
class Known {
 public:
  explicit Known(const Values& values) : values_(values) {}
  void want(Kept set) {
    if (places_.emplace(set, sets_.size()).second) sets_.push_back(set);
  }
  void ask() { found_ = values_(sets_); }
  const std::vector<double>& operator[](Kept set) const { return found_[places_.at(set)]; }
  size_t size() const { return sets_.size(); }

 private:
  const Values& values_;
  std::map<Kept, size_t> places_;
  std::vector<Kept> sets_;
  std::vector<std::vector<double>> found_;
};

inline double binomial(int64_t n, int64_t k) {
  double product = 1;
  for (int64_t i = 1; i <= k; ++i) product *= static_cast<double>(n - k + i) / static_cast<double>(i);
  return product;
}

// Adds weight * (ln p with token i - ln p without) to its contributions.
inline void add(Contributions& all, int64_t i, const Known& known, Kept with, double weight) {
  const auto &upper = known[with], &lower = known[with & ~(Kept{1} << i)];
  auto& own = all[static_cast<size_t>(i)];
  own.resize(upper.size());
  for (size_t j = 0; j < upper.size(); ++j) own[j] += weight * (upper[j] - lower[j]);
}

inline Contributions exact_shapley(int64_t n, const Values& values) {
  if (n > kMostExact)
    throw UserError("exact Shapley values of " + std::to_string(n) + " tokens need 2^" + std::to_string(n) +
                    " sets; at most " + std::to_string(kMostExact) +
                    " tokens are allowed: use lerg_s, or cut the utterance");
  Known known(values);
  for (Kept set = 0; set < Kept{1} << n; ++set) known.want(set);
  known.ask();
  Contributions all(static_cast<size_t>(n));
  for (Kept set = 0; set < Kept{1} << n; ++set)
    for (int64_t i = 0; i < n; ++i)
      if (set >> i & 1) {
        const auto before = std::popcount(set) - 1;  // |S| of the set without i: 1 / (n C(n - 1, |S|))
        add(all, i, known, set, 1 / (static_cast<double>(n) * binomial(n - 1, before)));
      }
  return all;
}

// How many tokens a set of lerg_s lacks, 1 to n / 2, with probability in proportion to C(n, k).
inline int64_t drawn_removals(int64_t n, double draw) {
  double all = 0;
  for (int64_t k = 1; k <= n / 2; ++k) all += binomial(n, k);
  draw *= all;
  int64_t k = 1;
  while (k < n / 2 && draw >= binomial(n, k)) draw -= binomial(n, k++);
  return k;
}

// floor(500 / n) sets per token, and fewer where that would be more than 4 of all kinds of sets together.
inline int64_t samples_per_token(int64_t n) {
  double kinds = 0;
  for (int64_t k = 1; k <= n / 2; ++k) kinds += binomial(n, k);
  return std::max<int64_t>(
      static_cast<int64_t>(std::min(500.0 / static_cast<double>(n), 2 * kinds / static_cast<double>(n))), 1);
}

// The sets with token i that are drawn for it; the same without i lack at most half of the tokens. One token: the
// whole.
inline std::vector<Kept> drawn_sets(int64_t n, int64_t i, const Draws& draws) {
  const Kept whole = (Kept{1} << n) - 1;
  if (n == 1) return {whole};
  std::vector<Kept> sets;
  for (int64_t m = 0; m < samples_per_token(n); ++m) {
    const auto own = draws.substream(static_cast<uint64_t>(i)).substream(static_cast<uint64_t>(m));
    auto kept = whole;
    std::vector<int64_t> others;
    for (int64_t other = 0; other < n; ++other)
      if (other != i) others.push_back(other);
    const auto removed = drawn_removals(n, own.uniform(0)) - 1;  // besides i
    for (int64_t r = 0; r < removed; ++r) {
      const auto at = static_cast<size_t>(own.below(others.size(), static_cast<uint64_t>(r + 1)));
      kept &= ~(Kept{1} << others[at]);
      others.erase(others.begin() + static_cast<std::ptrdiff_t>(at));
    }
    sets.push_back(kept);
  }
  return sets;
}

inline Contributions lerg_s(int64_t n, const Values& values, const Draws& draws) {
  if (n > kMostTokens)
    throw UserError("an utterance of more than " + std::to_string(kMostTokens) + " tokens cannot be explained");
  Known known(values);
  std::vector<std::vector<Kept>> sets;
  for (int64_t i = 0; i < n; ++i) {
    sets.push_back(drawn_sets(n, i, draws));
    for (const auto set : sets.back()) known.want(set), known.want(set & ~(Kept{1} << i));
  }
  known.ask();
  Contributions all(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    for (const auto set : sets[static_cast<size_t>(i)])
      add(all, i, known, set, 1 / static_cast<double>(sets[static_cast<size_t>(i)].size()));
  return all;
}

inline Contributions random_contributions(int64_t n, int64_t explained, const Draws& draws) {
  Contributions all(static_cast<size_t>(n));
  uint64_t next = 0;
  for (auto& one : all)
    for (int64_t j = 0; j < explained; ++j) one.push_back(draws.uniform(next++));
  return all;
}

}  // namespace assay::explain
