// The most likely tokens, in the order that all decoders here use: by logit or ln p, and the lower id first where these
// are equal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

namespace assay::decoding {

// The first `count` ids of V; count is at most V.
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
