// The most likely tokens, in the order that every decoder here has: by logit or ln p, and among equals the lower id
// first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace assay::decoding {

// The first `count` of V ids; count is at most V.
inline std::vector<int64_t> most_likely(const double* values, int64_t V, int64_t count) {
  std::vector<int64_t> ids(static_cast<size_t>(V));
  std::iota(ids.begin(), ids.end(), int64_t{0});
  std::partial_sort(ids.begin(), ids.begin() + count, ids.end(), [&](int64_t one, int64_t other) {
    return values[one] != values[other] ? values[one] > values[other] : one < other;
  });
  ids.resize(static_cast<size_t>(count));
  return ids;
}

}  // namespace assay::decoding
