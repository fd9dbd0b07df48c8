// Tensor collectives over the tensor axis, with autograd functions whose backward is another collective.
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/custom_function.h>

#include <vector>

#include "assay/error.h"
#include "assay/mesh.h"

namespace assay {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Dtype dtype_of(const Tensor& x) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return Dtype::kFloat32;
    case at::kDouble:
      return Dtype::kFloat64;
    case at::kLong:
      return Dtype::kInt64;
    default:
      throw Bug(std::string("collectives support float32, float64 and int64, not ") + c10::toString(x.scalar_type()));
  }
}

// One direction of an operator, forward or backward, on contiguous tensors.
using Part = Tensor (*)(const Tensor& x, int64_t dim, Communicator& axis);

Tensor identity(const Tensor& x, int64_t, Communicator&) { return x.view_as(x); }

// Results of bf16 and fp16 products are summed in fp32.
bool is_narrow(const Tensor& x) { return x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf; }

Tensor all_reduced(const Tensor& x, int64_t dim, Communicator& axis) {
  if (is_narrow(x)) return all_reduced(x.to(at::kFloat), dim, axis).to(x.scalar_type());
  auto out = x.clone(at::MemoryFormat::Contiguous);
  all_reduce(out, axis);
  return out;
}

Tensor all_gathered(const Tensor& x, int64_t dim, Communicator& axis) {
  const auto mine = x.contiguous();
  auto sizes = mine.sizes().vec();
  sizes.insert(sizes.begin(), axis.size());
  auto all = at::empty(sizes, mine.options());
  axis.all_gather(mine.data_ptr(), all.data_ptr(), mine.nbytes());
  return at::cat(all.unbind(0), dim);
}

// The chunks of a dimension, one per rank.
std::vector<Tensor> parts(const Tensor& x, int64_t dim, const Communicator& axis) {
  if (x.size(dim) % axis.size() != 0)
    throw UserError("a dimension of size " + std::to_string(x.size(dim)) +
                    " is not divisible by tensor = " + std::to_string(axis.size()));
  return x.chunk(axis.size(), dim);
}

Tensor own_part(const Tensor& x, int64_t dim, Communicator& axis) {
  return parts(x, dim, axis)[static_cast<size_t>(axis.rank())].contiguous();
}

Tensor reduce_scattered(const Tensor& x, int64_t dim, Communicator& axis) {
  if (is_narrow(x)) return reduce_scattered(x.to(at::kFloat), dim, axis).to(x.scalar_type());
  const auto all = at::stack(parts(x, dim, axis));
  auto out = at::empty_like(all[0]);
  axis.reduce_scatter(all.data_ptr(), out.data_ptr(), static_cast<size_t>(out.numel()), dtype_of(out));
  return out;
}

template <Part kForward, Part kBackward>
struct Operator : torch::autograd::Function<Operator<kForward, kBackward>> {
  static Tensor forward(AutogradContext* context, const Tensor& x, int64_t dim, const Mesh* mesh) {
    context->saved_data["mesh"] = reinterpret_cast<int64_t>(mesh);
    context->saved_data["dim"] = dim;
    return kForward(x, dim, mesh->tensor());
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto* mesh = reinterpret_cast<const Mesh*>(context->saved_data["mesh"].toInt());
    return {kBackward(grads[0], context->saved_data["dim"].toInt(), mesh->tensor()), {}, {}};
  }
};

template <Part kForward, Part kBackward>
Tensor apply(const Tensor& x, int64_t dim, const Mesh& mesh) {
  return mesh.tensor().size() == 1 ? x : Operator<kForward, kBackward>::apply(x, dim, &mesh);
}

}  // namespace

void all_reduce(const Tensor& x, Communicator& axis) {
  if (axis.size() > 1) axis.all_reduce(x.data_ptr(), static_cast<size_t>(x.numel()), dtype_of(x));
}
void all_reduce_max(const Tensor& x, Communicator& axis) {
  if (axis.size() > 1) axis.all_reduce_max(x.data_ptr(), static_cast<size_t>(x.numel()), dtype_of(x));
}

Tensor copy_to_tensor_parallel_region(const Tensor& x, const Mesh& mesh) {
  return apply<identity, all_reduced>(x, 0, mesh);
}
Tensor reduce_from_tensor_parallel_region(const Tensor& x, const Mesh& mesh) {
  return apply<all_reduced, identity>(x, 0, mesh);
}
Tensor gather_from_sequence_parallel_region(const Tensor& x, int64_t dim, const Mesh& mesh) {
  return apply<all_gathered, reduce_scattered>(x, dim, mesh);
}
Tensor reduce_scatter_to_sequence_parallel_region(const Tensor& x, int64_t dim, const Mesh& mesh) {
  return apply<reduce_scattered, all_gathered>(x, dim, mesh);
}
Tensor scatter_to_tensor_parallel_region(const Tensor& x, int64_t dim, const Mesh& mesh) {
  return apply<own_part, all_gathered>(x, dim, mesh);
}
Tensor gather_from_tensor_parallel_region(const Tensor& x, int64_t dim, const Mesh& mesh) {
  return apply<all_gathered, own_part>(x, dim, mesh);
}

}  // namespace assay
