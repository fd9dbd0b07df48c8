// Dropout from counter-based draws: the mask depends on no mesh, micro-batch or thread, and is drawn again in the
// backward pass (kernels/dropout).
#include "dropout/dropout.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include <string>

#include "assay/nn.h"
#include "assay/random.h"

namespace assay::nn {
namespace {

namespace kernel = kernels::dropout;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Site {
  uint64_t key;
  double rate;
  int64_t head_begin;
};

template <class T>
void run(const Tensor& x, const Tensor& out, kernel::Shape shape, kernel::Mask mask) {
  const auto *from = x.const_data_ptr<T>(), *positions = mask.positions, *rows = mask.row_id;
  auto* to = out.data_ptr<T>();
  if (x.is_cuda()) return kernel::cuda<T>(shape, mask, from, to);
  const int64_t row = shape.heads * shape.queries * shape.channels;
  at::parallel_for(0, shape.rows, 1, [&](int64_t begin, int64_t end) {
    auto part = shape;
    auto part_mask = mask;
    part.rows = end - begin;
    part_mask.row_id = rows + begin;
    part_mask.positions = positions + begin * shape.queries;
    kernel::cpu<T>(part, part_mask, from + begin * row, to + begin * row);
  });
}

// x [B, Q, C] or [B, H, Q, C], row_id [B] and positions [B, Q] without gaps on x's device.
Tensor dropped(const Tensor& x, const Tensor& row_id, const Tensor& positions, const Site& site) {
  const bool heads = x.dim() == 4, is_double = x.scalar_type() == at::kDouble;
  const auto wide = x.to(is_double ? at::kDouble : at::kFloat).contiguous();
  const auto out = at::empty_like(wide);
  const kernel::Shape shape{x.size(0), heads ? x.size(1) : 1, x.size(-2), x.size(-1)};
  const kernel::Mask mask{
      site.key,        static_cast<uint32_t>(site.rate * 0x1p32), 1.0 / (1.0 - site.rate),
      site.head_begin, row_id.const_data_ptr<int64_t>(),          positions.const_data_ptr<int64_t>()};
  if (is_double)
    run<double>(wide, out, shape, mask);
  else
    run<float>(wide, out, shape, mask);
  return out.to(x.scalar_type());
}

struct Dropout : torch::autograd::Function<Dropout> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& row_id, const Tensor& positions,
                        int64_t key, double rate, int64_t head_begin) {
    context->save_for_backward({row_id, positions});
    context->saved_data["key"] = key;
    context->saved_data["rate"] = rate;
    context->saved_data["head_begin"] = head_begin;
    return dropped(x, row_id, positions, {static_cast<uint64_t>(key), rate, head_begin});
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto& data = context->saved_data;
    const Site site{static_cast<uint64_t>(data.at("key").toInt()), data.at("rate").toDouble(),
                    data.at("head_begin").toInt()};
    return {dropped(grads[0], saved[0], saved[1], site), {}, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor dropout(const Tensor& x, DropoutSite site, const ForwardKey& key, const Tensor& row_id, const Tensor& positions,
               int64_t head_begin) {
  if (!key.training || site.rate <= 0) return x;
  const auto stream = stream_key(key.seed, "dropout/" + std::to_string(key.step) + "/" + std::to_string(key.forward) +
                                               "/" + std::to_string(site.site));
  const auto places = positions.expand({x.size(0), x.size(-2)}).to(x.device()).contiguous();
  return Dropout::apply(x, row_id.to(x.device()).contiguous(), places, static_cast<int64_t>(stream), site.rate,
                        head_begin < 0 ? int64_t{0} : head_begin);
}

}  // namespace assay::nn
