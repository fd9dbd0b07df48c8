#include "nn/added_tokens.h"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

namespace assay::nn {
namespace {

bool is_token_table(const ParameterSpec& spec, int64_t vocabulary) {
  return spec.role == Role::kEmbedding && spec.drawn_rows == vocabulary && spec.shape.size() == 2;
}

// Row `id` of the table, fp64: on every rank if the table is split by rows, where the sum adds only zeros; otherwise
// this rank's part of it.
Tensor row_of(const Parameter& table, int64_t id, const Mesh& mesh) {
  const auto local = table.value.detach();
  if (table.spec.shard_dim != 0) return local.select(0, id).to(at::kDouble);
  const auto place = id - local.size(0) * mesh.tensor().rank();
  const bool here = place >= 0 && place < local.size(0);
  auto row =
      here ? local.select(0, place).to(at::kDouble) : at::zeros({local.size(1)}, local.options().dtype(at::kDouble));
  all_reduce(row, mesh.tensor());
  return row;
}

}  // namespace

void start_as_words(const std::vector<AddedToken>& tokens, int64_t vocabulary, std::vector<Parameter>& parameters,
                    const Mesh& mesh) {
  const c10::NoGradGuard no_grad;
  for (auto& table : parameters) {
    if (!is_token_table(table.spec, vocabulary)) continue;
    const auto local = table.value.detach();
    const auto begin = table.spec.shard_dim == 0 ? local.size(0) * mesh.tensor().rank() : 0;
    for (const auto& [id, words] : tokens) {
      auto sum = at::zeros({local.size(1)}, local.options().dtype(at::kDouble));
      for (const auto word : words) sum += row_of(table, word, mesh);
      if (id >= begin && id < begin + local.size(0))
        local.select(0, id - begin).copy_(sum / static_cast<double>(words.size()));
    }
  }
}

}  // namespace assay::nn
