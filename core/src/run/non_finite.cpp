#include "run/non_finite.h"

#include <ATen/ops/isfinite.h>

#include "nn/watch.h"
#include "run/step.h"

namespace assay::run {
namespace {

bool is_finite(const Tensor& x) { return at::isfinite(x).all().item<bool>(); }

// The last parameter on any rank for which `bad` holds, or none. This is a collective.
template <class Test>
std::string last_parameter(const Assembled& run, const Mesh& mesh, Test&& bad) {
  const auto& parameters = run.parameters->all();
  int64_t last = -1;
  for (size_t i = 0; i < parameters.size(); ++i)
    if (bad(parameters[i])) last = static_cast<int64_t>(i);
  for (auto* axis : {&mesh.tensor(), &mesh.data()}) axis->all_reduce_max(&last, 1, Dtype::kInt64);
  return last < 0 ? "" : parameters[static_cast<size_t>(last)].spec.name;
}

}  // namespace

std::string first_non_finite(Assembled& run, const Mesh& mesh, int64_t step, std::vector<Batch> micro_batches) {
  const auto weight = last_parameter(run, mesh, [](const Parameter& p) { return !is_finite(p.value.detach()); });
  if (!weight.empty()) return "parameter '" + weight + "' contained NaN or infinity before this step";
  clear_gradients(run.parameters->all());
  std::string part;
  {
    const nn::Watch watch;
    Metrics unused;
    accumulate_gradients(run, mesh, step, std::move(micro_batches), unused);
    part = watch.first(mesh);
  }
  if (!part.empty()) return "the first part whose output contains NaN or infinity is '" + part + "'";
  const auto gradient = last_parameter(
      run, mesh, [](const Parameter& p) { return p.value.grad().defined() && !is_finite(p.value.grad()); });
  if (!gradient.empty())
    return "every output is finite; of the gradients with NaN or infinity, that of '" + gradient +
           "' is nearest to the loss";
  return "when the step is repeated, every output and gradient is finite, so a callback or the sum of squares is the "
         "cause";
}

}  // namespace assay::run
