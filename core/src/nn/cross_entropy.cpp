// Softmax cross entropy over a vocabulary that is split over the tensor ranks; forward and backward need no all_gather
// and no copy of fp32 or fp64 logits (kernels/cross_entropy). Logits of a narrower dtype are converted to fp32 first.
#include "cross_entropy/cross_entropy.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "assay/nn.h"
#include "nn/kernel_use.h"

namespace assay::nn {
namespace {

namespace cross_entropy_kernel = kernels::cross_entropy;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows are independent, so their distribution over threads does not change the results.
template <class Work>
void over_rows(const cross_entropy_kernel::Slice& slice, bool on_device, const Work& work) {
  if (on_device) return work(slice, 0);
  at::parallel_for(0, slice.rows, std::max<int64_t>(1, 8192 / std::max<int64_t>(slice.columns, 1)),
                   [&](int64_t begin, int64_t end) {
                     auto part = slice;
                     part.rows = end - begin;
                     work(part, begin);
                   });
}

template <class T>
struct Pass {
  explicit Pass(const Tensor& logits_NC)
      : on_device(logits_NC.is_cuda()),
        version(on_device ? cross_entropy_kernel::cuda<T>() : cross_entropy_kernel::cpu<T>()) {}

  void largest(const cross_entropy_kernel::Slice& slice, const Tensor& logits, const Tensor& out) const {
    over_rows(slice, on_device, [&](const cross_entropy_kernel::Slice& part, int64_t n) {
      version.largest(part, logits.const_data_ptr<T>() + n * slice.stride, out.data_ptr<T>() + n);
    });
  }
  void sums(const cross_entropy_kernel::Slice& slice, const Tensor& logits, const Tensor& targets,
            const Tensor& largest, const Tensor& total, const Tensor& own) const {
    over_rows(slice, on_device, [&](const cross_entropy_kernel::Slice& part, int64_t n) {
      version.sums(part, logits.const_data_ptr<T>() + n * slice.stride, targets.const_data_ptr<int64_t>() + n,
                   largest.const_data_ptr<T>() + n, total.data_ptr<T>() + n, own.data_ptr<T>() + n);
    });
  }
  void gradient(const cross_entropy_kernel::Slice& slice, const Tensor& logits, const Tensor& targets,
                const Tensor& largest, const Tensor& total, const Tensor& upstream, const Tensor& out) const {
    const int64_t width = out.size(1);
    over_rows(slice, on_device, [&](const cross_entropy_kernel::Slice& part, int64_t n) {
      version.gradient(part, logits.const_data_ptr<T>() + n * slice.stride, targets.const_data_ptr<int64_t>() + n,
                       largest.const_data_ptr<T>() + n, total.const_data_ptr<T>() + n, upstream.const_data_ptr<T>() + n,
                       width, out.data_ptr<T>() + n * width);
    });
  }

  bool on_device;
  const cross_entropy_kernel::Version<T>& version;
};

struct CrossEntropy : torch::autograd::Function<CrossEntropy> {
  // logits_NC: this rank's columns, fp32 or fp64, with contiguous rows; real: number of columns that are not padding;
  // begin: id of the first column.
  static Tensor forward(AutogradContext* context, const Tensor& logits_NC, const Tensor& targets_N, int64_t begin,
                        int64_t real, const Mesh* mesh) {
    auto& axis = mesh->tensor();
    const int64_t N = logits_NC.size(0);
    const cross_entropy_kernel::Slice slice{N, real, logits_NC.stride(0), begin};
    const auto largest = at::empty({N}, logits_NC.options()), total = at::empty({N}, logits_NC.options()),
               own = at::empty({N}, logits_NC.options());
    with_scalar_type(logits_NC, [&]<class T>(T) {
      const Pass<T> pass(logits_NC);
      pass.largest(slice, logits_NC, largest);
      all_reduce_max(largest, axis);
      pass.sums(slice, logits_NC, targets_N, largest, total, own);
    });
    all_reduce(own, axis);
    all_reduce(total, axis);
    context->save_for_backward({logits_NC, targets_N, largest, total});
    context->saved_data["begin"] = begin;
    context->saved_data["real"] = real;
    return total.log() + (largest - own);  // in this order, exact when the loss is small
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    refuse_second_derivative("vocabulary_cross_entropy");
    const auto saved = context->get_saved_variables();
    const auto& [logits, targets, largest, total] = std::tie(saved[0], saved[1], saved[2], saved[3]);
    const cross_entropy_kernel::Slice slice{logits.size(0), context->saved_data["real"].toInt(), logits.stride(0),
                                            context->saved_data["begin"].toInt()};
    const auto gradient = at::empty(logits.sizes(), logits.options());
    with_scalar_type(logits, [&]<class T>(T) {
      Pass<T>(logits).gradient(slice, logits, targets, largest, total, grads[0].contiguous(), gradient);
    });
    return {gradient, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor vocabulary_cross_entropy(const Tensor& logits, const Tensor& targets, int64_t vocabulary, int64_t padded,
                                const Mesh& mesh) {
  const auto& axis = mesh.tensor();
  const int64_t width = logits.size(-1);
  if (width * axis.size() != padded)
    throw UserError("cross entropy got " + std::to_string(width) + " logits per row on each of " +
                    std::to_string(axis.size()) + " tensor ranks; it needs this rank's slice, " +
                    std::to_string(padded / axis.size()) + " of " + std::to_string(padded) +
                    " (check that the logits are not gathered)");
  if (targets.numel() * width != logits.numel() || targets.device() != logits.device())
    throw UserError("cross entropy got targets of sizes " + c10::str(targets.sizes()) + " on " +
                    targets.device().str() + " for logits of sizes " + c10::str(logits.sizes()) + " on " +
                    logits.device().str() + "; every row of logits needs one target");
  const int64_t begin = width * axis.rank(), real = std::clamp<int64_t>(vocabulary - begin, 0, width);
  auto rows = logits.to(logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat).reshape({-1, width});
  if (rows.stride(-1) != 1) rows = rows.contiguous();
  const auto nll = CrossEntropy::apply(rows, targets.reshape({-1}).contiguous(), begin, real, &mesh);
  return nll.view(targets.sizes());
}

}  // namespace assay::nn
