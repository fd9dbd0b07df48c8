#include "run/model_use.h"

#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <limits>
#include <set>

#include "run/likelihoods.h"

namespace assay::run {
namespace {

// A token and its product with a gradient; the better one is less, and ties go to the lower id.
struct Candidate {
  double product = std::numeric_limits<double>::infinity();
  int64_t id = std::numeric_limits<int32_t>::max();
  bool operator<(const Candidate& other) const {
    return product != other.product ? product < other.product : id < other.id;
  }
};

std::vector<Candidate> best(std::vector<Candidate> all, size_t k) {
  all.resize(std::max(all.size(), k));
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end());
  all.resize(k);
  return all;
}

}  // namespace

Forward& ModelUse::forward(const Batch& batch) {
  if (here_.before_forward) here_.before_forward(/*continues=*/false);
  forward_ =
      std::make_unique<ForwardPass>(*run_.model, batch, ForwardOptions{}, run_.vocabulary->size(), mesh_, run_.compute);
  return *forward_;
}

Tensor ModelUse::embedding_gradient(const Batch& batch, const std::function<Tensor(Forward&)>& loss) {
  if (here_.before_forward) here_.before_forward(/*continues=*/false);
  const c10::AutoGradMode with_gradients(true);
  const auto tokens = batch.tokens.to(run_.compute.device);
  ForwardOptions options;
  options.embeddings = guard(*run_.model, "embed", [&] { return run_.model->embed(tokens); });
  if (!options.embeddings.defined())
    throw UserError("the model '" + run_.model->identity().name +
                    "' does not give its token embeddings (Model::embed), with respect to which a gradient is needed; "
                    "use another model");
  options.embeddings = options.embeddings.detach().requires_grad_();
  ForwardPass pass(*run_.model, batch, options, run_.vocabulary->size(), mesh_, run_.compute);
  // Only of the embeddings: the gradients of weights are not computed.
  return torch::autograd::grad({loss(pass)}, {options.embeddings}).front().detach();
}

Tensor ModelUse::steepest_tokens(const Tensor& gradient_ND, int64_t k) {
  const auto table = guard(*run_.model, "token_table", [&] { return run_.model->token_table(); });
  if (!table.rows_VD.defined())
    throw UserError("the model '" + run_.model->identity().name +
                    "' does not give its token table (Model::token_table), in which tokens are looked for; use another "
                    "model");
  const auto product_NV =
      at::matmul(gradient_ND, table.rows_VD.detach().to(gradient_ND.scalar_type()).t()).to(at::kCPU, at::kDouble);
  if (product_NV.isnan().any().item<bool>())
    throw UserError("the gradient with respect to the embeddings contains NaN; check the model's weights");
  std::set<int64_t> special;
  for (const auto& [name, id] : run_.vocabulary->special()) special.insert(id);
  const auto rows = product_NV.contiguous();
  const int64_t N = rows.size(0), width = rows.size(1), V = run_.vocabulary->size();
  const auto kept = static_cast<size_t>(std::clamp<int64_t>(k, 1, V - static_cast<int64_t>(special.size())));

  // The best of this rank's tokens, by row; then the best of all ranks'.
  const auto K = static_cast<int64_t>(kept);
  auto product_NK = at::zeros({N, K}, at::kDouble), id_NK = at::zeros({N, K}, at::kDouble);
  for (int64_t n = 0; n < N; ++n) {
    std::vector<Candidate> own;
    for (int64_t column = 0; column < width && table.begin + column < V; ++column)
      if (!special.count(table.begin + column))
        own.push_back({rows.const_data_ptr<double>()[n * width + column], table.begin + column});
    own = best(std::move(own), kept);
    for (size_t i = 0; i < kept; ++i) {
      product_NK.data_ptr<double>()[n * K + static_cast<int64_t>(i)] = own[i].product;
      id_NK.data_ptr<double>()[n * K + static_cast<int64_t>(i)] = static_cast<double>(own[i].id);
    }
  }
  product_NK = gather_from_tensor_parallel_region(product_NK, -1, mesh_).contiguous();
  id_NK = gather_from_tensor_parallel_region(id_NK, -1, mesh_).contiguous();
  const auto all = product_NK.size(1);
  const auto chosen_NK = at::zeros({N, K}, at::kLong);
  for (int64_t n = 0; n < N; ++n) {
    std::vector<Candidate> found;
    for (int64_t i = 0; i < all; ++i)
      found.push_back({product_NK.const_data_ptr<double>()[n * all + i],
                       static_cast<int64_t>(id_NK.const_data_ptr<double>()[n * all + i])});
    found = best(std::move(found), kept);
    for (size_t i = 0; i < kept; ++i) chosen_NK.data_ptr<int64_t>()[n * K + static_cast<int64_t>(i)] = found[i].id;
  }
  return chosen_NK;
}

std::vector<std::vector<double>> ModelUse::log_probs(const std::vector<int32_t>& prefix,
                                                     const std::vector<Scored>& rows) {
  return likelihoods(run_, here_.before_forward, mesh_, prefix, rows);
}

}  // namespace assay::run
