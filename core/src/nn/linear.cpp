// Column and row linear layers, layer norm, vocabulary-split embedding. Shoeybi et al. 2019, sec. 3.
#include <ATen/ops/embedding.h>
#include <ATen/ops/layer_norm.h>
#include <c10/core/GradMode.h>

#include "assay/nn.h"
#include "nn/affine.h"
#include "nn/sequence.h"

namespace assay::nn {
namespace {

// Reduces the partial sums of y [.., T, D] over the ranks; with sequence parallelism, returns this rank's positions.
Tensor reduced_output(const Tensor& y, const Mesh& mesh) {
  return SequenceParallelRegion::present() ? reduce_scatter_to_sequence_parallel_region(y, -2, mesh)
                                           : reduce_from_tensor_parallel_region(y, mesh);
}

}  // namespace

ColumnLinear::ColumnLinear(Parameters scope, int64_t in, int64_t out, bool bias, double init_std)
    : name_(scope.name()), mesh_(&scope.mesh()) {
  weight_ = scope.add(
      {.name = "weight", .shape = {out, in}, .shard_dim = 0, .init = Init::normal(init_std), .role = Role::kMatrix});
  if (bias) bias_ = scope.add({.name = "bias", .shape = {out}, .shard_dim = 0, .decay = false});
}

Tensor ColumnLinear::operator()(const Tensor& x) const {
  const auto whole = SequenceParallelRegion::present() ? gather_from_sequence_parallel_region(x, -2, *mesh_)
                                                       : copy_to_tensor_parallel_region(x, *mesh_);
  return watch(name_, affine(whole, weight_, bias_));
}

RowLinear::RowLinear(Parameters scope, int64_t in, int64_t out, bool bias, double init_std)
    : name_(scope.name()), mesh_(&scope.mesh()) {
  weight_ = scope.add(
      {.name = "weight", .shape = {out, in}, .shard_dim = 1, .init = Init::normal(init_std), .role = Role::kMatrix});
  if (bias) bias_ = scope.add({.name = "bias", .shape = {out}, .decay = false});
}

Tensor RowLinear::operator()(const Tensor& x) const {
  if (mesh_->tensor().size() == 1) return watch(name_, affine(x, weight_, bias_));
  const auto y = reduced_output(affine(x, weight_), *mesh_);
  return watch(name_, bias_.defined() ? y + sequence_parallel_parameter(bias_) : y);  // added once, after the reduction
}

Linear::Linear(Parameters scope, int64_t in, int64_t out, bool bias, double init_std) : name_(scope.name()) {
  weight_ = scope.add({.name = "weight", .shape = {out, in}, .init = Init::normal(init_std), .role = Role::kHead});
  if (bias) bias_ = scope.add({.name = "bias", .shape = {out}, .decay = false});
}

Tensor Linear::operator()(const Tensor& x) const { return watch(name_, affine(x, weight_, bias_)); }

LayerNorm::LayerNorm(Parameters scope, int64_t width, bool bias, double eps) : name_(scope.name()), eps_(eps) {
  weight_ = scope.add({.name = "weight", .shape = {width}, .init = Init::ones(), .decay = false});
  if (bias) bias_ = scope.add({.name = "bias", .shape = {width}, .decay = false});
}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return watch(name_, at::layer_norm(x, {x.size(-1)}, sequence_parallel_parameter(weight_),
                                     sequence_parallel_parameter(bias_), eps_));
}

RmsNorm::RmsNorm(Parameters scope, int64_t width, double eps) : name_(scope.name()), eps_(eps) {
  weight_ = scope.add({.name = "weight", .shape = {width}, .init = Init::ones(), .decay = false});
}

Tensor RmsNorm::operator()(const Tensor& x) const {
  const auto scale = (x * x).mean({-1}, /*keepdim=*/true).add(eps_).rsqrt();
  return watch(name_, x * scale * sequence_parallel_parameter(weight_));
}

VocabularyEmbedding::VocabularyEmbedding(Parameters scope, int64_t vocabulary, int64_t multiple, int64_t width,
                                         double init_std, Role role)
    : name_(scope.name()), padded_((vocabulary + multiple - 1) / multiple * multiple), mesh_(&scope.mesh()) {
  const auto& axis = mesh_->tensor();
  if (padded_ % axis.size() != 0)
    throw UserError("a vocabulary of " + std::to_string(vocabulary) + ", padded to " + std::to_string(padded_) +
                    " (a multiple of " + std::to_string(multiple) +
                    "), is not divisible by tensor = " + std::to_string(axis.size()) +
                    "; set vocab_multiple to a multiple of it that is the same for all meshes");
  weight_ = scope.add({.name = "weight",
                       .shape = {padded_, width},
                       .shard_dim = 0,
                       .init = Init::normal(init_std),
                       .drawn_rows = vocabulary,
                       .role = role});
  begin_ = padded_ / axis.size() * axis.rank();
}

Tensor VocabularyEmbedding::operator()(const Tensor& tokens) const {
  if (mesh_->tensor().size() == 1) return watch(name_, at::embedding(weight_, tokens));
  const auto local = tokens - begin_;
  const auto elsewhere = local.lt(0).logical_or_(local.ge(weight_.size(0)));
  const auto found = at::embedding(weight_, local.masked_fill(elsewhere, 0));
  return watch(name_, reduced_output(found.masked_fill(elsewhere.unsqueeze(-1), 0.0), *mesh_));
}

void VocabularyEmbedding::clear_row(int64_t id) const {
  const c10::NoGradGuard no_grad;
  if (id >= begin_ && id < begin_ + weight_.size(0)) weight_.select(0, id - begin_).zero_();
}

Tensor VocabularyEmbedding::logits(const Tensor& hidden) const {
  return watch(name_ + " (logits)", affine(copy_to_tensor_parallel_region(hidden, *mesh_), weight_));
}

}  // namespace assay::nn
