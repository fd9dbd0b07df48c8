#include "run/shared_reads.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace assay::run {
namespace {

constexpr int64_t kPassTokens = 64;

// A row without positions differs from one that has them.
std::pair<int32_t, int64_t> at(const Scored& row, int64_t t) {
  return {row.tokens[static_cast<size_t>(t)], row.positions.empty() ? -1 : row.positions[static_cast<size_t>(t)]};
}

int64_t common(const Scored& a, const Scored& b) {
  const auto most = std::min(reads(a), reads(b));
  int64_t t = 0;
  while (t < most && at(a, t) == at(b, t)) ++t;
  return t;
}

}  // namespace

SharedReads shared_reads(const std::vector<Scored>& rows) {
  SharedReads found;
  found.order.resize(rows.size());
  std::iota(found.order.begin(), found.order.end(), size_t{0});
  std::stable_sort(found.order.begin(), found.order.end(), [&](size_t a, size_t b) {
    const auto same = common(rows[a], rows[b]);
    if (same == reads(rows[a]) || same == reads(rows[b])) return reads(rows[a]) < reads(rows[b]);
    return at(rows[a], same) < at(rows[b], same);
  });
  int64_t longest = 0;
  for (const auto& row : rows) longest = std::max(longest, reads(row));

  // By depth d: rows that read d tokens or more, how many different beginnings of d tokens they have, and the tokens
  // that they read beyond it.
  const auto depths = static_cast<size_t>(longest) + 1;
  std::vector<int64_t> count(depths, 0), different(depths, 0), beyond(depths, 0);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[found.order[i]];
    found.shared.push_back(i == 0 ? 0 : common(rows[found.order[i - 1]], row));
    for (int64_t d = 0; d <= reads(row); ++d) {
      ++count[static_cast<size_t>(d)];
      different[static_cast<size_t>(d)] += i == 0 || found.shared.back() < d;
      beyond[static_cast<size_t>(d)] += reads(row) - d;
    }
  }
  // The least cost from a depth on, and the next cut; 0: there is none.
  std::vector<int64_t> cost(depths), next(depths, 0);
  for (auto a = longest; a >= 0; --a) {
    const auto from = static_cast<size_t>(a);
    cost[from] = beyond[from] + kPassTokens;
    for (auto b = a + 1; b <= longest; ++b) {
      const auto to = static_cast<size_t>(b);
      const auto ending = beyond[from] - beyond[to] - count[to] * (b - a);  // rows that end between the two
      const auto through = different[to] * (b - a) + kPassTokens + (ending > 0 ? ending + kPassTokens : 0) + cost[to];
      if (through < cost[from]) cost[from] = through, next[from] = b;
    }
  }
  for (auto cut = rows.empty() ? 0 : next[0]; cut > 0; cut = next[static_cast<size_t>(cut)]) found.cuts.push_back(cut);
  return found;
}

}  // namespace assay::run
