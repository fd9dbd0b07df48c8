// The Transformer blocks of gpt and bert: from token embeddings to final hidden states. A block adds two branches to
// the residual stream x, attention and a feed-forward network. Layer norms are on the branches' inputs (pre-LN; Xiong
// et al. 2020, arXiv:2002.04745) or behind the additions (post-LN; Vaswani et al. 2017, arXiv:1706.03762):
//   pre    x = x + attention(norm(x));  x = x + ffn(norm(x));  and a norm behind the last block
//   post   x = norm(x + attention(x));  x = norm(x + ffn(x))
#pragma once

#include <ATen/ops/gelu.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "assay/model.h"
#include "assay/nn.h"
#include "assay/positional.h"

namespace assay::transformer {

// Gives the scheme the model's shape. UserError where there is no scheme, or one that cannot serve this shape.
inline void fit(const Child<Positional>& scheme, const AttentionShape& shape) {
  if (!scheme) throw UserError("a positional scheme is needed; give \"none\" for no positions");
  guard(*scheme, "fit", [&] { scheme->fit(shape); });
}

inline std::optional<int64_t> limit_of(const Positional& scheme) {
  return guard(scheme, "limit", [&] { return scheme.limit(); });
}

// Token embeddings, or the given ones instead, plus what the scheme adds to them.
inline Tensor embedded(const nn::VocabularyEmbedding& table, const Positional& scheme, const Batch& batch,
                       const ForwardOptions& options) {
  auto x_BTD = options.embeddings.defined() ? nn::sequence_part(options.embeddings) : table(batch.tokens);
  x_BTD = checked_embedding(scheme, x_BTD, nn::sequence_part(batch.positions));
  return nn::watch(scheme.identity().instance + " (embed)", x_BTD);
}

// GELU in the form of this name, "tanh" or "erf".
inline Tensor gelu(const std::string& form, const Tensor& x) { return form == "tanh" ? nn::gelu_tanh(x) : at::gelu(x); }

class Blocks {
 public:
  struct Options {
    int64_t layers, width, heads, ffn;
    bool causal, bias;
    bool post_norm;
    bool norms_first;  // whether the parameters of a norm are created before those of its branch or after
    std::string gelu;
    double init_std, output_std;  // output_std: of the layers that end a branch
    double dropout, attention_dropout, activation_dropout;
    int64_t dropout_sites;  // per block: 3, or 4 with activation_dropout; site 0 is that of the embeddings
  };
  Blocks() = default;
  Blocks(const Parameters& parameters, const Options& options) : options_(options) {
    const auto& o = options_;
    for (int64_t l = 0; l < o.layers; ++l) {
      const auto scope = parameters.scope("layers." + std::to_string(l));
      Block& block = blocks_.emplace_back();
      const auto norm = [&](const char* name) { return nn::LayerNorm(scope.scope(name), o.width, o.bias); };
      if (o.norms_first) block.attention_norm = norm("attention_norm");
      block.attention =
          nn::Attention(scope.scope("attention"), {.layer = l,
                                                   .width = o.width,
                                                   .heads = o.heads,
                                                   .causal = o.causal,
                                                   .bias = o.bias,
                                                   .init_std = o.init_std,
                                                   .output_std = o.output_std,
                                                   .dropout = {o.attention_dropout, 1 + o.dropout_sites * l}});
      if (!o.norms_first) block.attention_norm = norm("attention_norm");
      if (o.norms_first) block.ffn_norm = norm("ffn_norm");
      block.up = nn::ColumnLinear(scope.scope("up"), o.width, o.ffn, o.bias, o.init_std);
      block.down = nn::RowLinear(scope.scope("down"), o.ffn, o.width, o.bias, o.output_std);
      if (!o.norms_first) block.ffn_norm = norm("ffn_norm");
    }
    if (!o.post_norm) final_norm_ = nn::LayerNorm(parameters.scope("final_norm"), o.width, o.bias);
    heads_here_ = o.heads / parameters.mesh().tensor().size();
    head_begin_ = heads_here_ * parameters.mesh().tensor().rank();
  }

  // batch with its defaults, see nn::with_defaults; x_BTD: embeddings, before their dropout.
  ModelOutput operator()(Tensor x_BTD, const Positional& scheme, const Batch& batch, const ForwardOptions& options,
                         Cache* cache = nullptr) const {
    const auto& key = options.key;
    const auto positions = nn::sequence_part(batch.positions);
    const auto drop = [&](const Tensor& x, int64_t site) {
      return nn::dropout(x, {options_.dropout, site}, key, batch.row_id, positions);
    };
    ModelOutput out;
    const auto keep = [&](int64_t layer, const Tensor& x) {
      const auto& wanted = options.hidden_layers;
      if (std::find(wanted.begin(), wanted.end(), layer) != wanted.end()) out.hidden[layer] = nn::whole_sequence(x);
    };
    x_BTD = drop(x_BTD, 0);
    keep(0, x_BTD);
    const bool post = options_.post_norm;
    for (int64_t l = 0; l < options_.layers; ++l) {
      const auto& block = blocks_[static_cast<size_t>(l)];
      const auto first_site = options_.dropout_sites * l, last_site = options_.dropout_sites * (l + 1);
      const auto attended = block.attention(post ? x_BTD : block.attention_norm(x_BTD), scheme, batch, key, cache);
      x_BTD = x_BTD + drop(attended, first_site + 2);
      if (post) x_BTD = block.attention_norm(x_BTD);
      const auto inner_BTF = gelu(options_.gelu, block.up(post ? x_BTD : block.ffn_norm(x_BTD)));
      x_BTD = x_BTD + drop(block.down(drop_inner(inner_BTF, first_site + 3, key, batch)), last_site);
      if (post) x_BTD = block.ffn_norm(x_BTD);
      keep(l + 1, x_BTD);
    }
    out.final_BTD = nn::whole_sequence(post ? x_BTD : final_norm_(x_BTD));
    return out;
  }

  // Of a forward over T tokens, without the logits.
  double flops(int64_t length) const {
    const auto T = static_cast<double>(length), D = static_cast<double>(options_.width);
    const double block = 2 * T * D * (4 * D + 2 * static_cast<double>(options_.ffn)) + 4 * T * T * D;
    return static_cast<double>(options_.layers) * block;
  }

 private:
  struct Block {
    nn::LayerNorm attention_norm, ffn_norm;
    nn::Attention attention;
    nn::ColumnLinear up;
    nn::RowLinear down;
  };

  // Inner channels are divided among the ranks as heads are; dropout numbers these groups like heads.
  Tensor drop_inner(const Tensor& x_BTF, int64_t site, const ForwardKey& key, const Batch& batch) const {
    if (options_.activation_dropout <= 0 || !key.training) return x_BTF;
    const auto B = x_BTF.size(0), T = x_BTF.size(1);
    const auto x_BHTC = x_BTF.view({B, T, heads_here_, -1}).transpose(1, 2);
    return nn::dropout(x_BHTC, {options_.activation_dropout, site}, key, batch.row_id, batch.positions, head_begin_)
        .transpose(1, 2)
        .reshape({B, T, -1});
  }

  Options options_{};
  std::vector<Block> blocks_;
  nn::LayerNorm final_norm_;
  int64_t heads_here_ = 0, head_begin_ = 0;
};

}  // namespace assay::transformer
