// Repetition in texts. Welleck et al. 2020, arXiv:1908.04319, sec. 6.1 (rep-n); Su et al. 2022,
// arXiv:2202.06417, sec. 4.1 (diversity); Li et al. 2016, arXiv:1510.03055, sec. 5 (distinct-n). N-grams are counted
// per text, and the counts are summed over texts: a repetition of another text counts in distinct-n only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace assay::repetition {

using Text = std::vector<std::string>;  // its units: words or tokens

// kReference counts like the SimCTG code, which leaves out the last n-gram of every text.
enum class Counting { kAll, kReference };

struct Counts {
  int64_t all = 0, different = 0;
  Counts& operator+=(const Counts& other) {
    all += other.all;
    different += other.different;
    return *this;
  }
};

inline std::vector<Text> ngrams(const Text& text, int64_t n, Counting counting = Counting::kAll) {
  std::vector<Text> all;
  const auto count = static_cast<int64_t>(text.size()) - n + (counting == Counting::kAll ? 1 : 0);
  for (int64_t i = 0; i < count; ++i) all.emplace_back(text.begin() + i, text.begin() + i + n);
  return all;
}

inline Counts count_ngrams(const Text& text, int64_t n, Counting counting) {
  const auto all = ngrams(text, n, counting);
  return {static_cast<int64_t>(all.size()), static_cast<int64_t>(std::set<Text>(all.begin(), all.end()).size())};
}

// rep-n in percent; NaN where every text has fewer than n units.
inline double rep(const Counts& counts) {
  return 100.0 * (1.0 - static_cast<double>(counts.different) / static_cast<double>(counts.all));
}

// Counts of texts, for n = 2, 3, 4.
struct Repetition {
  static constexpr int64_t kFrom = 2, kTo = 4;
  std::vector<Counts> counts = std::vector<Counts>(kTo - kFrom + 1);
  Counting counting = Counting::kAll;

  void add(const Text& text) {
    for (int64_t n = kFrom; n <= kTo; ++n) counts[static_cast<size_t>(n - kFrom)] += count_ngrams(text, n, counting);
  }
  const Counts& of(int64_t n) const { return counts[static_cast<size_t>(n - kFrom)]; }
  // From rep-n rounded to two decimals of a percent, as in the SimCTG code.
  double diversity() const {
    double product = 1;
    for (const auto& one : counts) product *= 1 - std::round(rep(one) * 100) / 10000;
    return product;
  }
};

// Splits at white space.
inline Text words(const std::string& text) {
  Text all;
  std::string word;
  const auto end = [&] {
    if (!word.empty()) all.push_back(word);
    word.clear();
  };
  for (const char one : text) {
    if (one == ' ' || (one >= '\t' && one <= '\r'))
      end();
    else
      word += one;
  }
  end();
  return all;
}

}  // namespace assay::repetition
