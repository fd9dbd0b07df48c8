#include "run/model_use.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "assay/nn.h"
#include "base/text.h"

namespace assay::run {
namespace {

constexpr size_t kTokensAtOnce = 4096;  // not a setting: the last bits of a result depend on the shape of a batch

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
  const c10::NoGradGuard no_grad;
  check_length(prefix, rows);
  std::vector<std::vector<double>> log_p(rows.size());
  if (rows.empty()) return log_p;
  Cache cache;
  auto read_first = prefix;
  read_first.insert(read_first.begin(), static_cast<int32_t>(run_.vocabulary->special(kEndOfText)));
  const auto ids = at::tensor(std::vector<int64_t>(read_first.begin(), read_first.end()), at::kLong).unsqueeze(0);
  const auto state_1TD = read(cache, ids.to(run_.compute.device));
  const auto last_1D = state_1TD.select(1, state_1TD.size(1) - 1);

  // Rows of like length together, the longest first.
  std::vector<size_t> order(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rows[a].tokens.size() > rows[b].tokens.size(); });
  for (size_t begin = 0; begin < order.size();) {
    const auto length = std::max<size_t>(rows[order[begin]].tokens.size(), 1);
    const auto end = std::min(order.size(), begin + std::max<size_t>(kTokensAtOnce / length, 1));
    const std::vector<size_t> chosen(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                     order.begin() + static_cast<std::ptrdiff_t>(end));
    score(cache, last_1D, rows, chosen, log_p);
    begin = end;
  }
  return log_p;
}

void ModelUse::check_length(const std::vector<int32_t>& prefix, const std::vector<Scored>& rows) const {
  const auto& model = *run_.model;
  if (!model.causal() || model.has_encoder())
    throw UserError("the likelihood of tokens after a prefix needs a causal model without an encoder");
  const auto limit = guard(model, "limit", [&] { return model.limit(); });
  const auto after = static_cast<int64_t>(prefix.size()) + 1;
  for (const auto& row : rows) {
    const auto size = static_cast<int64_t>(row.tokens.size());
    if (row.from < 0 || row.from > size || (!row.positions.empty() && row.positions.size() != row.tokens.size()))
      throw UserError("a row of " + base::plural(size, "token") + " is scored from token " + std::to_string(row.from) +
                      " and has " + base::plural(static_cast<int64_t>(row.positions.size()), "position") +
                      "; the first must be a token, and there must be as many positions as tokens, or none");
    const auto end = row.positions.empty() ? after + size - 1 : row.positions[row.positions.size() - 1];
    if (limit && size > 0 && end > *limit)  // the last token is not read
      throw UserError("an end of text, a prefix of " + base::plural(after - 1, "token") + " and a row of " +
                      base::plural(size, "token") + " exceed the model's limit of " + std::to_string(*limit) +
                      " positions; shorten one of them");
  }
}

// The states [B, T, D] of tokens after the cache.
Tensor ModelUse::read(Cache& cache, const Tensor& tokens) const {
  if (here_.before_forward) here_.before_forward(/*continues=*/false);
  const ForwardPrecision precision(run_.compute);
  return guard(*run_.model, "extend", [&] { return run_.model->extend(cache, tokens, {}); }).final_BTD;
}

// The chosen rows as one batch. Padding is behind a row's tokens, where none of them attends to it.
void ModelUse::score(const Cache& prefix, const Tensor& last_1D, const std::vector<Scored>& rows,
                     const std::vector<size_t>& chosen, std::vector<std::vector<double>>& log_p) const {
  const auto B = static_cast<int64_t>(chosen.size());
  // The last token of a row is predicted and not read.
  const auto L = std::max<int64_t>(static_cast<int64_t>(rows[chosen.front()].tokens.size()) - 1, 0);
  const auto tokens_BL = at::zeros({B, L}, at::kLong), position_BL = at::zeros({B, L}, at::kLong);
  std::vector<int64_t> places, targets;
  bool placed = false;
  for (int64_t b = 0; b < B; ++b) {
    const auto& row = rows[chosen[static_cast<size_t>(b)]];
    placed = placed || !row.positions.empty();
    for (int64_t t = 0; t < L; ++t) {
      const auto at = static_cast<size_t>(t);
      if (at < row.tokens.size()) tokens_BL.data_ptr<int64_t>()[b * L + t] = row.tokens[at];
      position_BL.data_ptr<int64_t>()[b * L + t] =
          at < row.positions.size() ? row.positions[at] : prefix.length() + (row.positions.empty() ? t : 0);
    }
    for (auto t = row.from; t < static_cast<int64_t>(row.tokens.size()); ++t) {
      places.push_back(b * (L + 1) + t);
      targets.push_back(row.tokens[static_cast<size_t>(t)]);
    }
  }
  if (targets.empty()) return;

  // The state before each token; before the first one it is the prefix's last.
  auto state_BLD = last_1D.unsqueeze(1).expand({B, 1, last_1D.size(1)});
  const auto& device = run_.compute.device;
  if (L > 0) {
    auto cache = prefix;
    cache.select(at::zeros({B}, at::kLong).to(device));
    if (placed) cache.next_positions = position_BL.to(device);
    state_BLD = at::cat({state_BLD, read(cache, tokens_BL.to(device))}, 1);
  }
  const auto index_N = at::tensor(places, at::kLong).to(device), target_N = at::tensor(targets, at::kLong).to(device);
  const ForwardPrecision precision(run_.compute);
  auto& model = *run_.model;
  const auto logits_NV = guard(model, "logits", [&] {
    return model.logits(state_BLD.reshape({-1, last_1D.size(1)}).index_select(0, index_N));
  });
  const auto nll_N =
      nn::vocabulary_cross_entropy(logits_NV, target_N, run_.vocabulary->size(), model.padded_vocabulary(), mesh_)
          .to(at::kCPU, at::kDouble)
          .contiguous();
  if (nll_N.isnan().any().item<bool>()) throw UserError("the logits contain NaN; check the model's weights");
  const auto* next = nll_N.const_data_ptr<double>();
  for (const auto row : chosen)
    for (auto t = rows[row].from; t < static_cast<int64_t>(rows[row].tokens.size()); ++t)
      log_p[row].push_back(-*next++);
}

}  // namespace assay::run
