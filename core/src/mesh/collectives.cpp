// Tensor collectives over the tensor axis; autograd where a backward is another collective.
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>

#include "assay/error.h"
#include "assay/mesh.h"

namespace assay {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Number number_of(const Tensor& x) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return Number::kFloat32;
    case at::kDouble:
      return Number::kFloat64;
    case at::kLong:
      return Number::kInt64;
    default:
      throw Bug(std::string("collectives know float, double and int64, not ") + c10::toString(x.scalar_type()));
  }
}

Tensor summed(const Tensor& x, const Mesh& mesh) {
  auto out = x.clone(at::MemoryFormat::Contiguous);
  sum_in_place(out, mesh.tensor());
  return out;
}

Tensor gathered_last(const Tensor& x, Communicator& axis) {
  const auto mine = x.contiguous();
  auto sizes = mine.sizes().vec();
  sizes.insert(sizes.begin(), axis.size());
  auto all = at::empty(sizes, mine.options());
  axis.gather(mine.data_ptr(), all.data_ptr(), mine.nbytes());
  return at::cat(all.unbind(0), -1);
}

const Mesh* mesh_of(AutogradContext* context) {
  return reinterpret_cast<const Mesh*>(context->saved_data["mesh"].toInt());
}
void save_mesh(AutogradContext* context, const Mesh* mesh) {
  context->saved_data["mesh"] = reinterpret_cast<int64_t>(mesh);
}

struct CopyToRanks : torch::autograd::Function<CopyToRanks> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Mesh* mesh) {
    save_mesh(context, mesh);
    return x.view_as(x);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    return {summed(grads[0], *mesh_of(context)), Tensor()};
  }
};

struct SumOverRanks : torch::autograd::Function<SumOverRanks> {
  static Tensor forward(AutogradContext*, const Tensor& x, const Mesh* mesh) { return summed(x, *mesh); }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0], Tensor()}; }
};

struct GatherLast : torch::autograd::Function<GatherLast> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Mesh* mesh) {
    save_mesh(context, mesh);
    return gathered_last(x, mesh->tensor());
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto& axis = mesh_of(context)->tensor();
    const int64_t width = grads[0].size(-1) / axis.size();
    return {grads[0].narrow(-1, axis.rank() * width, width).contiguous(), Tensor()};
  }
};

}  // namespace

void sum_in_place(const Tensor& x, Communicator& axis) {
  if (axis.size() > 1) axis.sum(x.data_ptr(), static_cast<size_t>(x.numel()), number_of(x));
}
void max_in_place(const Tensor& x, Communicator& axis) {
  if (axis.size() > 1) axis.max(x.data_ptr(), static_cast<size_t>(x.numel()), number_of(x));
}

Tensor copy_to_ranks(const Tensor& x, const Mesh& mesh) {
  return mesh.tensor().size() == 1 ? x : CopyToRanks::apply(x, &mesh);
}
Tensor sum_over_ranks(const Tensor& x, const Mesh& mesh) {
  return mesh.tensor().size() == 1 ? x : SumOverRanks::apply(x, &mesh);
}
Tensor gather_last(const Tensor& x, const Mesh& mesh) {
  return mesh.tensor().size() == 1 ? x : GatherLast::apply(x, &mesh);
}

}  // namespace assay
