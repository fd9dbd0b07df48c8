// Calls and checks the hooks of positional schemes, and computes the dense form of a declared bias, for attention
// without a kernel for that form.
#include "nn/attention_bias.h"

#include <ATen/ops/embedding.h>

#include <algorithm>
#include <initializer_list>

namespace assay {
namespace {

std::string count_of(int64_t rows) { return rows == 1 ? "1" : "1 or " + std::to_string(rows); }

// `allowed` lists the allowed sizes of each dimension; `meaning` describes them in the message.
template <class Meaning>
void expect_sizes(const char* form, const Tensor& given, std::initializer_list<std::initializer_list<int64_t>> allowed,
                  const Meaning& meaning) {
  bool fits = given.dim() == static_cast<int64_t>(allowed.size());
  int64_t d = 0;
  for (auto sizes = allowed.begin(); fits && sizes != allowed.end(); ++sizes)
    fits = std::find(sizes->begin(), sizes->end(), given.size(d++)) != sizes->end();
  if (!fits) throw UserError(std::string(form) + " has sizes " + c10::str(given.sizes()) + "; it must be " + meaning());
  if (!given.is_floating_point())
    throw UserError(std::string(form) + " has dtype " + c10::toString(given.scalar_type()) +
                    "; it must be a floating-point dtype");
}

void expect_same_sizes(const char* what, const Tensor& found, const Tensor& given) {
  if (!found.defined()) throw UserError(std::string(what) + " must not be undefined");
  if (found.sizes() != given.sizes())
    throw UserError(std::string(what) + " have sizes " + c10::str(found.sizes()) + "; they must keep their sizes, " +
                    c10::str(given.sizes()));
}

void expect_declared_sizes(const AttentionBias& bias, const AttentionContext& context) {
  const auto heads = [&] { return std::to_string(context.heads); };
  if (bias.slopes_H.defined())
    expect_sizes("slopes_H", bias.slopes_H, {{context.heads}},
                 [&] { return "[" + heads() + "], a slope for each head of this rank"; });
  if (bias.table_NH.defined()) {
    if (!bias.bucket) throw UserError("table_NH has no bucket function; set bucket, which maps distances to its rows");
    const int64_t buckets = bias.table_NH.dim() > 0 ? bias.table_NH.size(0) : 0;
    expect_sizes("table_NH", bias.table_NH, {{buckets}, {context.heads}},
                 [&] { return "[buckets, " + heads() + "], a column for each head of this rank"; });
  }
  if (!bias.dense_BHQS.defined()) return;
  int64_t rows = 1;
  for (const auto* of_tokens :
       {&context.query_positions, &context.key_positions, &context.query_segments, &context.key_segments})
    if (of_tokens->defined()) rows = std::max(rows, of_tokens->size(0));
  const int64_t queries = context.query_positions.size(1), keys = context.key_positions.size(1);
  expect_sizes("dense_BHQS", bias.dense_BHQS, {{1, rows}, {1, context.heads}, {queries}, {keys}}, [&] {
    return "[" + count_of(rows) + ", " + count_of(context.heads) + ", " + std::to_string(queries) + ", " +
           std::to_string(keys) + "]: rows, heads of this rank, queries, keys";
  });
}

}  // namespace

Tensor attention_distance(const AttentionContext& context) {
  const auto distance = context.query_positions.unsqueeze(-1) - context.key_positions.unsqueeze(-2);
  return context.causal ? distance : distance.abs();
}

Tensor checked_embedding(const Positional& scheme, const Tensor& x_BTD, const Tensor& positions_BT) {
  return guard(scheme, "embed", [&] {
    auto embedded = scheme.embed(x_BTD, positions_BT);
    expect_same_sizes("the embeddings", embedded, x_BTD);
    return embedded;
  });
}

std::pair<Tensor, Tensor> checked_rotation(const Positional& scheme, const Tensor& q, const Tensor& k,
                                           const AttentionContext& context) {
  return guard(scheme, "rotate", [&] {
    auto rotated = scheme.rotate(q, k, context);
    expect_same_sizes("the queries", rotated.first, q);
    expect_same_sizes("the keys", rotated.second, k);
    return rotated;
  });
}

AttentionBias checked_attention_bias(const Positional& scheme, const AttentionContext& context) {
  return guard(scheme, "attention_bias", [&] {
    auto bias = scheme.attention_bias(context);
    expect_declared_sizes(bias, context);
    return bias;
  });
}

Tensor AttentionBias::dense(const AttentionContext& context) const {
  expect_declared_sizes(*this, context);
  return nn::dense_bias_of(*this, context);
}

Tensor nn::dense_bias_of(const AttentionBias& bias, const AttentionContext& context) {
  Tensor sum;
  const auto add = [&](const Tensor& part) { sum = sum.defined() ? sum + part : part; };
  if (bias.slopes_H.defined()) {
    const auto distance = attention_distance(context).to(context.score_type).unsqueeze(1);  // [1 or B, 1, Q, S]
    add(bias.slopes_H.to(context.score_type).neg().view({1, -1, 1, 1}) * distance);
  }
  if (bias.table_NH.defined()) {
    const auto difference = context.key_positions.unsqueeze(-2) - context.query_positions.unsqueeze(-1);
    const auto rows = bias.bucket(difference);
    if (rows.sizes() != difference.sizes() || rows.scalar_type() != at::kLong)
      throw UserError("bucket returns " + std::string(c10::toString(rows.scalar_type())) + " of sizes " +
                      c10::str(rows.sizes()) + "; it must return int64 with the sizes of its argument, " +
                      c10::str(difference.sizes()));
    add(at::embedding(bias.table_NH, rows).permute({0, 3, 1, 2}).to(context.score_type));
  }
  if (bias.dense_BHQS.defined()) add(bias.dense_BHQS.to(context.score_type));
  return sum;
}

}  // namespace assay
