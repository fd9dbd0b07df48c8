#include "nn/added_tokens.h"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

namespace assay::nn {
namespace {

bool is_token_table(const ParameterSpec& spec, int64_t vocabulary) {
  return spec.role == Role::kEmbedding && spec.drawn_rows == vocabulary && spec.shape.size() == 2;
}

// Row `id` of the whole table [D], fp64, on every rank; it is on one rank, so the sum adds only zeros.
Tensor whole_row(const Tensor& local, int64_t begin, int64_t id, const Mesh& mesh) {
  const bool here = id >= begin && id < begin + local.size(0);
  auto row = here ? local.select(0, id - begin).to(at::kDouble)
                  : at::zeros({local.size(1)}, local.options().dtype(at::kDouble));
  all_reduce(row, mesh.tensor());
  return row;
}

}  // namespace

void start_as_words(const std::vector<AddedToken>& tokens, int64_t vocabulary, std::vector<Parameter>& parameters,
                    const Mesh& mesh) {
  const c10::NoGradGuard no_grad;
  for (auto& [spec, value] : parameters) {
    if (!is_token_table(spec, vocabulary)) continue;
    const auto begin = spec.shard_dim == 0 ? value.size(0) * mesh.tensor().rank() : 0;
    for (const auto& [id, words] : tokens) {
      auto sum_D = at::zeros({value.size(1)}, value.options().dtype(at::kDouble));
      for (const auto word : words) sum_D += whole_row(value.detach(), begin, word, mesh);
      if (id >= begin && id < begin + value.size(0))
        value.detach().select(0, id - begin).copy_(sum_D / static_cast<double>(words.size()));
    }
  }
}

}  // namespace assay::nn
