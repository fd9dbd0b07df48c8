// Dropout from counter-based draws: the mask does not depend on mesh, micro-batch or thread, and is drawn again in the
// backward pass (kernels/dropout).
#include "dropout/dropout.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <string>

#include "assay/nn.h"
#include "assay/random.h"
#include "nn/dropout_mask.h"
#include "nn/kernel_use.h"

namespace assay::nn {

// The stream names must not change, because that would change every result with dropout.
DropoutMask::DropoutMask(const Tensor& x, DropoutSite site, const ForwardKey& key, const Tensor& row_id,
                         const Tensor& positions, int64_t head_begin)
    : key_(static_cast<int64_t>(stream_key(key.seed, "dropout/" + std::to_string(key.step) + "/" +
                                                         std::to_string(key.forward) + "/" +
                                                         std::to_string(site.site)))),
      head_begin_(head_begin < 0 ? 0 : head_begin),
      rate_(site.rate) {
  if (!(rate_ >= 0 && rate_ < 1))
    throw UserError("the dropout rate must be in [0, 1), but is " + std::to_string(rate_));
  if (x.dim() < 3 || x.dim() > 4 || row_id.numel() != x.size(0))
    throw UserError("dropout got x of sizes " + c10::str(x.sizes()) + " and row_id of sizes " +
                    c10::str(row_id.sizes()) + "; x must be [B, T, D] or [B, H, Q, S], and row_id must be [B]");
  row_id_ = row_id.to(x.device()).contiguous();
  positions_ = positions.expand({x.size(0), x.size(-2)}).to(x.device()).contiguous();
}

kernels::dropout::Mask DropoutMask::mask() const {
  if (!row_id_.defined()) return {};
  return {static_cast<uint64_t>(key_),       static_cast<uint32_t>(rate_ * 0x1p32), 1.0 / (1.0 - rate_), head_begin_,
          row_id_.const_data_ptr<int64_t>(), positions_.const_data_ptr<int64_t>()};
}

void DropoutMask::save(torch::autograd::AutogradContext& context) const {
  if (!row_id_.defined()) return;
  auto& data = context.saved_data;
  data["dropout_key"] = key_;
  data["dropout_rate"] = rate_;
  data["dropout_head_begin"] = head_begin_;
  data["dropout_row_id"] = row_id_;
  data["dropout_positions"] = positions_;
}

DropoutMask DropoutMask::saved(torch::autograd::AutogradContext& context) {
  DropoutMask out;
  const auto& data = context.saved_data;
  if (data.count("dropout_key") == 0) return out;
  out.key_ = data.at("dropout_key").toInt();
  out.rate_ = data.at("dropout_rate").toDouble();
  out.head_begin_ = data.at("dropout_head_begin").toInt();
  out.row_id_ = data.at("dropout_row_id").toTensor();
  out.positions_ = data.at("dropout_positions").toTensor();
  return out;
}

namespace {

namespace dropout_kernel = kernels::dropout;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

template <class T>
void run(const Tensor& x, const Tensor& out, dropout_kernel::Shape shape, dropout_kernel::Mask mask) {
  const auto* from = x.const_data_ptr<T>();
  auto* to = out.data_ptr<T>();
  if (x.is_cuda()) return dropout_kernel::cuda<T>(shape, mask, from, to);
  const int64_t row = shape.heads * shape.queries * shape.channels;
  at::parallel_for(0, shape.rows, 1, [&](int64_t begin, int64_t end) {
    auto part = shape;
    auto part_mask = mask;
    part.rows = end - begin;
    part_mask.row_id += begin;
    part_mask.positions += begin * shape.queries;
    dropout_kernel::cpu<T>(part, part_mask, from + begin * row, to + begin * row);
  });
}

Tensor dropped(const Tensor& x, const DropoutMask& mask) {
  const auto wide = x.to(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat).contiguous();
  const auto out = at::empty_like(wide);
  const dropout_kernel::Shape shape{x.size(0), x.dim() == 4 ? x.size(1) : 1, x.size(-2), x.size(-1)};
  with_scalar_type(wide, [&]<class T>(T) { run<T>(wide, out, shape, mask.mask()); });
  return out.to(x.scalar_type());
}

struct Dropout : torch::autograd::Function<Dropout> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const DropoutMask& mask) {
    mask.save(*context);
    return dropped(x, mask);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    refuse_second_derivative("dropout");
    return {dropped(grads[0], DropoutMask::saved(*context)), {}};
  }
};

}  // namespace

Tensor dropout(const Tensor& x, DropoutSite site, const ForwardKey& key, const Tensor& row_id, const Tensor& positions,
               int64_t head_begin) {
  if (!key.training || site.rate <= 0) return x;
  return Dropout::apply(x, DropoutMask(x, site, key, row_id, positions, head_begin));
}

}  // namespace assay::nn
