// Dropout from counter-based draws: the mask depends on no mesh, micro-batch or thread.
#include <ATen/ops/empty.h>

#include <string>

#include "assay/nn.h"
#include "assay/random.h"

namespace assay::nn {

// Frozen layout: key = stream "dropout/<step>/<forward>/<site>" of the seed; counter = {channel / 4, position, global
// head, row of the global batch}; word channel % 4 drops when below rate * 2^32.
Tensor dropout(const Tensor& x, DropoutSite site, const ForwardKey& key, const Tensor& row_id, const Tensor& positions,
               int64_t head_begin) {
  if (!key.training || site.rate <= 0) return x;
  const bool heads = x.dim() == 4;
  const int64_t B = x.size(0), H = heads ? x.size(1) : 1, Q = x.size(-2), C = x.size(-1);
  const auto stream = stream_key(key.seed, "dropout/" + std::to_string(key.step) + "/" + std::to_string(key.forward) +
                                               "/" + std::to_string(site.site));
  const auto threshold = static_cast<uint64_t>(site.rate * 0x1p32);
  const double scale = 1.0 / (1.0 - site.rate);
  const auto rows = row_id.to(at::kCPU).contiguous();
  const auto places = positions.expand({B, Q}).to(at::kCPU).contiguous();
  const auto* row = rows.data_ptr<int64_t>();
  const auto* place = places.data_ptr<int64_t>();
  auto mask = at::empty(x.sizes(), at::TensorOptions().dtype(x.scalar_type()));
  const auto fill = [&]<class T>(T* out) {
    for (int64_t b = 0; b < B; ++b)
      for (int64_t h = 0; h < H; ++h)
        for (int64_t q = 0; q < Q; ++q)
          for (int64_t c = 0; c < C; c += 4) {
            const auto words =
                philox4x32({static_cast<uint32_t>(c / 4), static_cast<uint32_t>(place[b * Q + q]),
                            static_cast<uint32_t>(heads ? head_begin + h : 0), static_cast<uint32_t>(row[b])},
                           stream);
            for (int64_t i = 0; i < 4 && c + i < C; ++i)
              *out++ = words[static_cast<size_t>(i)] < threshold ? T{0} : static_cast<T>(scale);
          }
  };
  if (x.scalar_type() == at::kDouble)
    fill(mask.data_ptr<double>());
  else
    fill(mask.data_ptr<float>());
  return x * mask.to(x.device());
}

}  // namespace assay::nn
