#include <ATen/ops/cat.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <utility>

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

// x [B, H, S, K]: moves the entry at first + choice [B] of each row to first. On the CPU, no temporary tensors are
// used, because there are two such moves per layer for every decoded token.
void move_to_front(const Tensor& x, int64_t first, const Tensor& choice) {
  const int64_t B = x.size(0), H = x.size(1), K = x.size(3);
  if (!x.device().is_cpu() || x.stride(3) != 1) {
    const auto index = (choice + first).view({B, 1, 1, 1}).expand({B, H, 1, K});
    x.narrow(2, first, 1).copy_(x.gather(2, index));
    return;
  }
  const auto size = static_cast<int64_t>(x.element_size());
  auto* begin = static_cast<char*>(x.data_ptr()) + first * x.stride(2) * size;
  const auto* from = choice.const_data_ptr<int64_t>();
  for (int64_t b = 0; b < B; ++b)
    for (int64_t h = 0; h < H; ++h) {
      auto* front = begin + (b * x.stride(0) + h * x.stride(1)) * size;
      std::memmove(front, front + from[b] * x.stride(2) * size, static_cast<size_t>(K * size));
    }
}

}  // namespace

void Cache::rewind(int64_t n) {
  if (n < 0 || n > length())
    throw UserError("a cache of " + std::to_string(length()) + " positions cannot be rewound by " + std::to_string(n));
  each_tensor(*this, [n](const Tensor& x, int64_t dim) { return x.narrow(dim, 0, x.size(dim) - n); });
  undecided = std::max<int64_t>(undecided - n, 0);
}

void Cache::select(const Tensor& rows) {
  const auto chosen = [&](const Tensor& x) { return x.defined() ? x.index_select(0, rows) : x; };
  each_tensor(*this, [&](const Tensor& x, int64_t) { return chosen(x); });
  for (auto& layer : source) layer = {chosen(layer.keys), chosen(layer.values)};
  source_mask = chosen(source_mask);
}

void Cache::keep(const Tensor& choice, int64_t n) {
  const auto first = length() - n;
  if (n < 1 || first < 0)
    throw UserError("a cache of " + std::to_string(length()) + " positions does not have " + std::to_string(n) +
                    " alternatives");
  // In place, because the last entries are not shared.
  for (auto& layer : layers)
    for (auto* tensor : {&layer.keys, &layer.values})
      if (tensor->defined()) move_to_front(*tensor, first, choice);
  rewind(n - 1);  // alternatives share one position and are not padding
  alternatives = false;
  undecided = 0;
}

namespace nn {
namespace {

// [B, 1]: the position after each row's last one that is not padding.
Tensor next_position(const Cache& cache, const Tensor& tokens) {
  const auto length = cache.length();
  if (length == 0) return at::zeros({tokens.size(0), 1}, tokens.options());
  if (!cache.mask.defined()) return cache.positions.narrow(1, length - 1, 1) + 1;
  return cache.positions.masked_fill(cache.mask.logical_not(), -1).amax({1}, /*keepdim=*/true) + 1;
}

}  // namespace

Batch extend(Cache& cache, const Tensor& tokens, const Tensor& mask, int64_t layers) {
  if (cache.undecided > 0)
    throw UserError("a cache of " + std::to_string(cache.undecided) +
                    " alternatives cannot grow before one of them is chosen (Cache::keep)");
  if (cache.alternatives) cache.undecided = tokens.size(1);
  Batch batch;
  batch.tokens = tokens;
  const auto before = cache.length();
  const auto real = mask.defined() ? mask : at::ones(tokens.sizes(), tokens.options().dtype(at::kBool));
  batch.positions = std::exchange(cache.next_positions, {});
  if (!batch.positions.defined()) {
    const auto next_B1 = next_position(cache, tokens);
    batch.positions =
        cache.alternatives ? next_B1.expand(tokens.sizes()).contiguous() : (next_B1 + real.cumsum(-1) - 1).clamp_min(0);
  }
  cache.positions = before > 0 ? at::cat({cache.positions, batch.positions}, 1) : batch.positions;
  if (mask.defined() || cache.mask.defined()) {
    const auto old = cache.mask.defined() ? cache.mask : at::ones({tokens.size(0), before}, real.options());
    cache.mask = before > 0 ? at::cat({old, real}, 1) : real;
  }
  if (cache.next_segments.defined()) {
    batch.segment = cache.next_segments;
    cache.segments = before > 0 ? at::cat({cache.segments, batch.segment}, 1) : batch.segment;
  }
  cache.layers.resize(static_cast<size_t>(layers));
  return with_defaults(batch);
}

}  // namespace nn
}  // namespace assay
