// Shared by the backends: reductions in rank order, and the comparison of the calls of ranks.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "assay/error.h"
#include "assay/mesh.h"

namespace assay::mesh {

template <class Body>
void dispatch_dtype(Dtype dtype, Body&& body) {
  if (dtype == Dtype::kFloat32) return body(float{});
  if (dtype == Dtype::kFloat64) return body(double{});
  body(int64_t{});
}

// out[i] = the sum (for kMax, the maximum) of element i of all sources, in order. out may be one of the sources.
template <class T>
void reduce(Collective collective, const std::vector<const T*>& sources, T* out, size_t count) {
  const auto each = [&](auto operation) {
    for (size_t i = 0; i < count; ++i) {
      T total = sources[0][i];
      for (size_t r = 1; r < sources.size(); ++r) total = operation(total, sources[r][i]);
      out[i] = total;
    }
  };
  if (collective == Collective::kAllReduceMax) return each([](T a, T b) { return a > b ? a : b; });
  each([](T a, T b) { return a + b; });
}

// Throws RunStopped with the calls of this rank and another one when not all calls are equal.
inline void require_equal_calls(const std::vector<Call>& calls, int rank) {
  const auto& mine = calls[static_cast<size_t>(rank)];
  for (size_t other = 0; other < calls.size(); ++other)
    if (calls[other] != mine)
      throw RunStopped("ranks of one axis must make the same calls, but rank " + std::to_string(rank) + " calls " +
                       mine.text() + " and rank " + std::to_string(other) + " calls " + calls[other].text());
}

}  // namespace assay::mesh
