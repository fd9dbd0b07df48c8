#include "assay/model.h"

namespace assay {
namespace {

void each_tensor(Cache& cache, const auto& change) {
  for (auto& layer : cache.layers) {
    if (layer.keys.defined()) layer.keys = change(layer.keys, 2);
    if (layer.values.defined()) layer.values = change(layer.values, 2);
  }
  for (auto* tensor : {&cache.positions, &cache.segments, &cache.mask})
    if (tensor->defined()) *tensor = change(*tensor, 1);
}

}  // namespace

void Cache::rewind(int64_t n) {
  if (n < 0 || n > length())
    throw UserError("cannot rewind a cache of " + std::to_string(length()) + " positions by " + std::to_string(n));
  each_tensor(*this, [n](const Tensor& x, int64_t dim) { return x.narrow(dim, 0, x.size(dim) - n); });
}

void Cache::select(const Tensor& rows) {
  each_tensor(*this, [&](const Tensor& x, int64_t) { return x.index_select(0, rows); });
}

}  // namespace assay
