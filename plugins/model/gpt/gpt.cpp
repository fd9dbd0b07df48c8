// Pre-LN Transformer decoder. Radford et al. 2019 ("Language Models are Unsupervised Multitask Learners"), sec. 2.3.
#include <c10/core/GradMode.h>

#include <cmath>

#include "../transformer.h"
#include "assay/plugin.h"

namespace {

using assay::Batch;
using assay::ForwardKey;
using assay::Tensor;
namespace nn = assay::nn;
namespace transformer = assay::transformer;

class Gpt final : public assay::Model {
 public:
  struct Config {
    int64_t layers = 3, width = 96, heads = 4, ffn = 0;
    bool bias = true;
    std::string gelu = "tanh";
    bool tied_head = true, embedding_norm = false;
    double dropout = 0.0, init_std = 0.02;
    int64_t vocab_multiple = 8;
    assay::Child<assay::Positional> positional{"none"};
  };
  static void describe(auto& schema) {
    schema.doc("Pre-LN Transformer decoder with tensor-parallel layers.")
        .param("layers", &Config::layers, "Number of blocks.", 1, 1024)
        .param("width", &Config::width, "Width of the hidden states.", 1, 1 << 16)
        .param("heads", &Config::heads, "Attention heads; divides width, and the tensor ranks divide it.", 1, 1 << 12)
        .param("ffn", &Config::ffn, "Inner width of the feed-forward block; 0: four times width.", 0, 1 << 18)
        .param("bias", &Config::bias, "Whether linear layers and norms have biases.")
        .param("gelu", &Config::gelu, "Form of GELU: the tanh approximation or the exact erf form.", {"tanh", "erf"})
        .param("tied_head", &Config::tied_head, "Whether the output matrix is the token table.")
        .param("embedding_norm", &Config::embedding_norm, "Whether a layer norm follows the embedding.")
        .param("dropout", &Config::dropout,
               "Dropout rate on embeddings, attention probabilities and both residual branches.", 0, 0.99)
        .param("init_std", &Config::init_std,
               "Standard deviation of initial weights, divided by sqrt(2 layers) for the output layers of both "
               "branches.",
               0, 10)
        .param("vocab_multiple", &Config::vocab_multiple,
               "The number of rows of the token table is padded to a multiple of this.", 1, 1 << 16)
        .param("positional", &Config::positional, "Positional scheme.");
  }
  explicit Gpt(const Config& config) : config_(config) {
    if (config_.ffn == 0) config_.ffn = 4 * config_.width;
    transformer::fit(config_.positional, {config_.layers, config_.heads, config_.width});
  }

  void bind(const assay::Vocabulary& vocabulary) override { vocabulary_ = vocabulary.size(); }

  void build(assay::Parameters& parameters) override {
    const auto& c = config_;
    embedding_ =
        nn::VocabularyEmbedding(parameters.scope("embedding"), vocabulary_, c.vocab_multiple, c.width, c.init_std);
    if (c.embedding_norm) embedding_norm_ = nn::LayerNorm(parameters.scope("embedding_norm"), c.width, c.bias);
    blocks_ =
        transformer::Blocks(parameters, {.layers = c.layers,
                                         .width = c.width,
                                         .heads = c.heads,
                                         .ffn = c.ffn,
                                         .causal = true,
                                         .bias = c.bias,
                                         .post_norm = false,
                                         .norms_first = true,
                                         .gelu = c.gelu,
                                         .init_std = c.init_std,
                                         .output_std = c.init_std / std::sqrt(2.0 * static_cast<double>(c.layers)),
                                         .dropout = c.dropout,
                                         .attention_dropout = c.dropout,
                                         .activation_dropout = 0,
                                         .dropout_sites = 3});
    if (!c.tied_head)
      head_ = nn::VocabularyEmbedding(parameters.scope("head"), vocabulary_, c.vocab_multiple, c.width, c.init_std,
                                      assay::Role::kHead);
  }

  bool causal() const override { return true; }
  int64_t layers() const override { return config_.layers; }
  int64_t width() const override { return config_.width; }
  bool splits_sequence() const override { return true; }
  int64_t padded_vocabulary() const override { return embedding_.padded(); }
  std::optional<int64_t> limit() const override { return transformer::limit_of(*config_.positional); }

  assay::ModelOutput forward(const Batch& given, const assay::ForwardOptions& options) override {
    return run(nn::with_defaults(given), options, nullptr);
  }

  Tensor embed(const Tensor& tokens) const override { return embedding_(tokens); }
  assay::TokenTable token_table() const override { return embedding_.table(); }
  Tensor logits(const Tensor& hidden) override { return (config_.tied_head ? embedding_ : head_).logits(hidden); }

  assay::ModelOutput extend(assay::Cache& cache, const Tensor& tokens, const Tensor& mask) override {
    const c10::NoGradGuard no_grad;
    return run(nn::extend(cache, tokens, mask, config_.layers), {}, &cache);
  }

  double forward_flops(int64_t length, int64_t predicted) const override {
    return blocks_.flops(length) + 2 * static_cast<double>(predicted) * static_cast<double>(config_.width) *
                                       static_cast<double>(embedding_.padded());
  }

 private:
  assay::ModelOutput run(const Batch& batch, const assay::ForwardOptions& options, assay::Cache* cache) const {
    const auto& scheme = *config_.positional;
    auto x_BTD = transformer::embedded(embedding_, scheme, batch, options);
    if (config_.embedding_norm) x_BTD = embedding_norm_(x_BTD);
    return blocks_(x_BTD, scheme, batch, options, cache);
  }

  Config config_;
  int64_t vocabulary_ = 0;
  nn::VocabularyEmbedding embedding_, head_;
  nn::LayerNorm embedding_norm_;
  transformer::Blocks blocks_;
};

}  // namespace

ASSAY_PLUGIN("gpt", "1.0.0", assay::component<Gpt>("gpt"))
