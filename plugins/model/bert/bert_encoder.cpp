// Transformer encoder: every position attends to every other. Devlin et al. 2019, arXiv:1810.04805, sec. 3, with the
// norm behind each branch (post-LN) as in the paper, or before it (pre-LN; Xiong et al. 2020, arXiv:2002.04745).
// Positions enter by the positional scheme alone; there are no segment embeddings.
#include "../../shared/encoder_tokens.h"
#include "../transformer.h"
#include "assay/plugin.h"

namespace {

using assay::Tensor;
namespace encoder = assay::encoder;
namespace nn = assay::nn;
namespace transformer = assay::transformer;

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
        .param("norm", &Config::norm, "Layer norm after each branch is added (post) or on the branch's input (pre).",
               {"post", "pre"})
        .param("gelu", &Config::gelu, "Form of GELU: the exact erf form or the tanh approximation.", {"erf", "tanh"})
        .param("head", &Config::head,
               "What comes before the token table and its bias in the output: a dense layer, GELU and a norm; or "
               "nothing, as in COCO-LM's main network.",
               {"dense", "none"})
        .param("dropout", &Config::dropout, "Dropout rate on embeddings and both residual branches.", 0, 0.99)
        .param("attention_dropout", &Config::attention_dropout, "Dropout rate on attention probabilities.", 0, 0.99)
        .param("activation_dropout", &Config::activation_dropout,
               "Dropout rate inside the feed-forward block, after GELU; above 0, ffn must be a multiple of "
               "heads.",
               0, 0.99)
        .param("init_std", &Config::init_std, "Standard deviation of initial weights.", 0, 10)
        .param("vocab_multiple", &Config::vocab_multiple,
               "The number of rows of the token table is padded to a multiple of this.", 1, 1 << 16)
        .param("positional", &Config::positional, "Positional scheme.");
  }
  explicit Bert(const Config& config) : config_(config) {
    if (config_.ffn == 0) config_.ffn = 4 * config_.width;
    if (config_.activation_dropout > 0 && config_.ffn % config_.heads != 0)
      throw assay::UserError("activation_dropout needs an ffn that is a multiple of heads; " +
                             std::to_string(config_.ffn) + " is not a multiple of " + std::to_string(config_.heads));
    transformer::fit(config_.positional, {config_.layers, config_.heads, config_.width});
  }

  void special_tokens(assay::SpecialTokens& tokens) const override {
    for (const auto* name : {encoder::kCls, encoder::kMask, encoder::kPad}) tokens.declare(name);
  }

  void bind(const assay::Vocabulary& vocabulary) override {
    vocabulary_ = vocabulary.size();
    pad_ = vocabulary.special(encoder::kPad);
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
    blocks_ = transformer::Blocks(parameters, {.layers = c.layers,
                                               .width = c.width,
                                               .heads = c.heads,
                                               .ffn = c.ffn,
                                               .causal = false,
                                               .bias = true,
                                               .post_norm = c.norm == "post",
                                               .norms_first = false,
                                               .gelu = c.gelu,
                                               .init_std = c.init_std,
                                               .output_std = c.init_std,
                                               .dropout = c.dropout,
                                               .attention_dropout = c.attention_dropout,
                                               .activation_dropout = c.activation_dropout,
                                               .dropout_sites = 4});
    const auto head = parameters.scope("head");
    if (c.head == "dense") {
      head_dense_ = nn::Linear(head.scope("dense"), c.width, c.width, true, c.init_std);
      head_norm_ = nn::LayerNorm(head.scope("norm"), c.width, true);
    }
    head_bias_ = parameters.scope("head").add(
        {.name = "bias", .shape = {embedding_.padded()}, .shard_dim = 0, .decay = false, .drawn_rows = vocabulary_});
  }

  bool causal() const override { return false; }
  int64_t layers() const override { return config_.layers; }
  int64_t width() const override { return config_.width; }
  bool splits_sequence() const override { return true; }
  int64_t padded_vocabulary() const override { return embedding_.padded(); }
  std::optional<int64_t> limit() const override { return transformer::limit_of(*config_.positional); }

  assay::ModelOutput forward(const assay::Batch& given, const assay::ForwardOptions& options) override {
    const auto batch = nn::with_defaults(given);
    const auto& scheme = *config_.positional;
    return blocks_(embedding_norm_(transformer::embedded(embedding_, scheme, batch, options)), scheme, batch, options);
  }

  Tensor embed(const Tensor& tokens) const override { return embedding_(tokens); }
  assay::TokenTable token_table() const override { return embedding_.table(); }
  Tensor logits(const Tensor& hidden) override {
    auto x = hidden;
    if (config_.head == "dense") x = head_norm_(transformer::gelu(config_.gelu, head_dense_(x)));
    return embedding_.logits(x) + head_bias_;
  }

  assay::ModelOutput extend(assay::Cache&, const Tensor&, const Tensor&) override {
    throw assay::UserError("a bidirectional model cannot extend a cached prefix; run it on the whole text");
  }

  double forward_flops(int64_t length, int64_t predicted) const override {
    const auto P = static_cast<double>(predicted), D = static_cast<double>(config_.width);
    return blocks_.flops(length) +
           2 * P * D * (static_cast<double>(embedding_.padded()) + (config_.head == "dense" ? D : 0));
  }

 private:
  Config config_;
  int64_t vocabulary_ = 0, pad_ = 0;
  std::string shared_with_;  // instance whose token table is this model's; empty: its own
  bool shares_positions_ = false;
  nn::VocabularyEmbedding embedding_;
  nn::LayerNorm embedding_norm_, head_norm_;
  nn::Linear head_dense_;
  Tensor head_bias_;  // [v], this rank's slice
  transformer::Blocks blocks_;
};

}  // namespace

ASSAY_PLUGIN("bert_encoder", "1.0.0", assay::component<Bert>("bert"))
