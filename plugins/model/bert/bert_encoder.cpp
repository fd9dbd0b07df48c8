// Transformer encoder: every position sees every other. Devlin et al. 2019, arXiv:1810.04805, sec. 3, with the norm
// behind each branch (post-LN) as in the paper, or before it (Xiong et al. 2020, arXiv:2002.04745). Positions enter by
// the positional scheme alone; there are no embeddings of sentences.
#include <ATen/ops/gelu.h>

#include <algorithm>
#include <cmath>

#include "assay/model.h"
#include "assay/nn.h"
#include "assay/plugin.h"
#include "assay/positional.h"

namespace {

using assay::Batch;
using assay::Tensor;
namespace nn = assay::nn;

class Bert final : public assay::Model {
 public:
  struct Config {
    int64_t layers = 4, width = 128, heads = 4, ffn = 0;
    std::string norm = "post", gelu = "erf", head = "dense";
    double dropout = 0.1, attention_dropout = 0.1, activation_dropout = 0.0, init_std = 0.02;
    int64_t vocab_multiple = 8;
    assay::Child<assay::Positional> positional{"none"};
  };
  static void describe(auto& schema) {
    schema.doc("Bidirectional Transformer encoder with tensor-parallel layers; declares [CLS], [MASK] and [PAD].")
        .paper("arXiv:1810.04805")
        .param("layers", &Config::layers, "Number of blocks.", 1, 1024)
        .param("width", &Config::width, "Width of the hidden states.", 1, 1 << 16)
        .param("heads", &Config::heads, "Attention heads; divides width, and the tensor ranks divide it.", 1, 1 << 12)
        .param("ffn", &Config::ffn, "Inner width of the feed-forward block; 0: four times width.", 0, 1 << 18)
        .param("norm", &Config::norm, "Layer norm after each branch is added (post), or on its input (pre).",
               {"post", "pre"})
        .param("gelu", &Config::gelu, "The exact erf form or the tanh approximation.", {"erf", "tanh"})
        .param("head", &Config::head,
               "What comes before the token table and its bias in the output: dense, GELU and norm; or nothing, as in "
               "COCO-LM's main "
               "network.",
               {"dense", "none"})
        .param("dropout", &Config::dropout, "On embeddings and both residual branches.", 0, 0.99)
        .param("attention_dropout", &Config::attention_dropout, "On attention probabilities.", 0, 0.99)
        .param("activation_dropout", &Config::activation_dropout,
               "Inside the feed-forward block, after GELU; heads divides ffn then.", 0, 0.99)
        .param("init_std", &Config::init_std, "Standard deviation of initial weights.", 0, 10)
        .param("vocab_multiple", &Config::vocab_multiple, "The token table is padded to a multiple of this.", 1,
               1 << 16)
        .param("positional", &Config::positional, "How positions enter.");
  }
  explicit Bert(const Config& config) : config_(config) {
    if (config_.ffn == 0) config_.ffn = 4 * config_.width;
    if (!config_.positional) throw assay::UserError("a positional scheme is needed; give \"none\" for no positions");
    if (config_.activation_dropout > 0 && config_.ffn % config_.heads != 0)
      throw assay::UserError("activation_dropout needs an ffn that heads divides; " + std::to_string(config_.ffn) +
                             " is no multiple of " + std::to_string(config_.heads));
    auto& scheme = *config_.positional;
    assay::guard(scheme, "fit", [&] { scheme.fit({config_.layers, config_.heads, config_.width}); });
  }

  void special_tokens(assay::SpecialTokens& tokens) const override {
    for (const auto* name : {"[CLS]", "[MASK]", kPad}) tokens.declare(name);
  }

  void bind(const assay::Vocabulary& vocabulary) override {
    vocabulary_ = vocabulary.size();
    pad_ = vocabulary.special(kPad);
  }

  void share_embeddings(const std::string& instance, bool positions) override {
    shared_with_ = instance;
    shares_positions_ = positions;
    auto& scheme = *config_.positional;
    if (positions) assay::guard(scheme, "share_embeddings", [&] { scheme.share_embeddings(instance + ".positional"); });
  }

  void build(assay::Parameters& parameters) override {
    const auto& c = config_;
    const auto scope_of = [&](const std::string& name, bool shares) {
      return shares ? parameters.shared(shared_with_ + "." + name) : parameters.scope(name);
    };
    const bool shares = !shared_with_.empty();
    embedding_ =
        nn::VocabularyEmbedding(scope_of("embedding", shares), vocabulary_, c.vocab_multiple, c.width, c.init_std);
    if (!shares) embedding_.clear_row(pad_);
    embedding_norm_ = nn::LayerNorm(scope_of("embedding_norm", shares_positions_), c.width, true);
    for (int64_t l = 0; l < c.layers; ++l) {
      const auto scope = parameters.scope("layers." + std::to_string(l));
      Block& block = blocks_.emplace_back();
      block.attention = nn::Attention(scope.scope("attention"), {.layer = l,
                                                                 .width = c.width,
                                                                 .heads = c.heads,
                                                                 .causal = false,
                                                                 .bias = true,
                                                                 .init_std = c.init_std,
                                                                 .output_std = c.init_std,
                                                                 .dropout = {c.attention_dropout, 1 + 4 * l}});
      block.attention_norm = nn::LayerNorm(scope.scope("attention_norm"), c.width, true);
      block.up = nn::ColumnLinear(scope.scope("up"), c.width, c.ffn, true, c.init_std);
      block.down = nn::RowLinear(scope.scope("down"), c.ffn, c.width, true, c.init_std);
      block.ffn_norm = nn::LayerNorm(scope.scope("ffn_norm"), c.width, true);
    }
    if (c.norm == "pre") final_norm_ = nn::LayerNorm(parameters.scope("final_norm"), c.width, true);
    const auto head = parameters.scope("head");
    if (c.head == "dense") {
      head_dense_ = nn::Linear(head.scope("dense"), c.width, c.width, true, c.init_std);
      head_norm_ = nn::LayerNorm(head.scope("norm"), c.width, true);
    }
    head_bias_ = parameters.scope("head").add(
        {.name = "bias", .shape = {embedding_.padded()}, .shard_dim = 0, .decay = false, .drawn_rows = vocabulary_});
    heads_here_ = c.heads / parameters.mesh().tensor().size();
    head_begin_ = heads_here_ * parameters.mesh().tensor().rank();
  }

  bool causal() const override { return false; }
  int64_t layers() const override { return config_.layers; }
  int64_t width() const override { return config_.width; }
  bool splits_sequence() const override { return true; }
  int64_t padded_vocabulary() const override { return embedding_.padded(); }
  std::optional<int64_t> limit() const override {
    const auto& scheme = *config_.positional;
    return assay::guard(scheme, "limit", [&] { return scheme.limit(); });
  }

  assay::ModelOutput forward(const Batch& given, const assay::ForwardOptions& options) override {
    const auto& c = config_;
    const auto batch = nn::with_defaults(given);
    const auto positions = nn::sequence_part(batch.positions);
    const auto drop = [&](const Tensor& x_BTD, int64_t site) {
      return nn::dropout(x_BTD, {c.dropout, site}, options.key, batch.row_id, positions);
    };
    assay::ModelOutput out;
    const auto keep = [&](int64_t layer, const Tensor& x_BTD) {
      const auto& wanted = options.hidden_layers;
      if (std::find(wanted.begin(), wanted.end(), layer) != wanted.end()) out.hidden[layer] = nn::whole_sequence(x_BTD);
    };
    const auto& scheme = *c.positional;
    auto x_BTD = options.embeddings.defined() ? nn::sequence_part(options.embeddings) : embedding_(batch.tokens);
    x_BTD = assay::embedded_by(scheme, x_BTD, positions);
    nn::watch(scheme.identity().instance + " (embed)", x_BTD);
    x_BTD = drop(embedding_norm_(x_BTD), 0);
    keep(0, x_BTD);
    const bool post = c.norm == "post";
    for (int64_t l = 0; l < c.layers; ++l) {
      const auto& block = blocks_[static_cast<size_t>(l)];
      const auto attended = block.attention(post ? x_BTD : block.attention_norm(x_BTD), scheme, batch, options.key);
      x_BTD = x_BTD + drop(attended, 2 + 4 * l);
      if (post) x_BTD = block.attention_norm(x_BTD);
      const auto inner_BTF = activation(block.up(post ? x_BTD : block.ffn_norm(x_BTD)));
      x_BTD = x_BTD + drop(block.down(drop_inner(inner_BTF, 3 + 4 * l, options.key, batch)), 4 + 4 * l);
      if (post) x_BTD = block.ffn_norm(x_BTD);
      keep(l + 1, x_BTD);
    }
    out.final_BTD = nn::whole_sequence(post ? x_BTD : final_norm_(x_BTD));
    return out;
  }

  Tensor logits(const Tensor& hidden) override {
    auto x = hidden;
    if (config_.head == "dense") x = head_norm_(activation(head_dense_(x)));
    return embedding_.logits(x) + head_bias_;
  }

  assay::ModelOutput extend(assay::Cache&, const Tensor&, const Tensor&) override {
    throw assay::UserError("a bidirectional model cannot go on from what it has read; run it on the whole text");
  }

  double forward_flops(int64_t length, int64_t predicted) const override {
    const auto T = static_cast<double>(length), P = static_cast<double>(predicted), D = double(config_.width);
    const double block = 2 * T * D * (4 * D + 2 * static_cast<double>(config_.ffn)) + 4 * T * T * D;
    return static_cast<double>(config_.layers) * block +
           2 * P * D * (static_cast<double>(embedding_.padded()) + (config_.head == "dense" ? D : 0));
  }

 private:
  static constexpr const char* kPad = "[PAD]";
  struct Block {
    nn::LayerNorm attention_norm, ffn_norm;
    nn::Attention attention;
    nn::ColumnLinear up;
    nn::RowLinear down;
  };

  Tensor activation(const Tensor& x) const { return config_.gelu == "tanh" ? nn::gelu_tanh(x) : at::gelu(x); }

  // Inner channels lie on the ranks as heads do: in as many groups, which dropout numbers like heads.
  Tensor drop_inner(const Tensor& x_BTF, int64_t site, const assay::ForwardKey& key, const Batch& batch) const {
    if (config_.activation_dropout <= 0 || !key.training) return x_BTF;
    const auto B = x_BTF.size(0), T = x_BTF.size(1);
    const auto x_BHTC = x_BTF.view({B, T, heads_here_, -1}).transpose(1, 2);
    return nn::dropout(x_BHTC, {config_.activation_dropout, site}, key, batch.row_id, batch.positions, head_begin_)
        .transpose(1, 2)
        .reshape({B, T, -1});
  }

  Config config_;
  int64_t vocabulary_ = 0, pad_ = 0, heads_here_ = 0, head_begin_ = 0;
  std::string shared_with_;  // instance whose token table is this model's; empty: its own
  bool shares_positions_ = false;
  nn::VocabularyEmbedding embedding_;
  nn::LayerNorm embedding_norm_, final_norm_, head_norm_;
  nn::Linear head_dense_;
  Tensor head_bias_;  // [v], this rank's slice
  std::vector<Block> blocks_;
};

}  // namespace

ASSAY_PLUGIN("bert_encoder", "1.0.0", assay::component<Bert>("bert"))
