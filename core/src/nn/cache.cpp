#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>

#include "assay/model.h"
#include "assay/nn.h"

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

namespace nn {

Batch extend(Cache& cache, const Tensor& tokens, const Tensor& mask, int64_t layers) {
  Batch batch;
  batch.tokens = tokens;
  const auto before = cache.length();
  const auto real = mask.defined() ? mask : at::ones(tokens.sizes(), tokens.options().dtype(at::kBool));
  const auto seen =
      cache.mask.defined() ? cache.mask.sum(-1, true) : at::full({tokens.size(0), 1}, before, tokens.options());
  batch.positions = (seen + real.cumsum(-1) - 1).clamp_min(0);
  cache.positions = before > 0 ? at::cat({cache.positions, batch.positions}, 1) : batch.positions;
  if (mask.defined() || cache.mask.defined()) {
    const auto old = cache.mask.defined() ? cache.mask : at::ones({tokens.size(0), before}, real.options());
    cache.mask = before > 0 ? at::cat({old, real}, 1) : real;
  }
  cache.layers.resize(static_cast<size_t>(layers));
  return with_defaults(batch);
}

}  // namespace nn
}  // namespace assay
