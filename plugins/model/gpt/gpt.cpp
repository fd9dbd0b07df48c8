// Pre-LN Transformer decoder. Radford et al. 2019 ("Language Models are Unsupervised Multitask Learners"), sec. 2.3.
#include <ATen/ops/gelu.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "assay/model.h"
#include "assay/nn.h"
#include "assay/plugin.h"
#include "assay/positional.h"

namespace {

using assay::Batch;
using assay::ForwardKey;
using assay::Tensor;
namespace nn = assay::nn;

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
        .param("gelu", &Config::gelu, "The tanh approximation or the exact erf form.", {"tanh", "erf"})
        .param("tied_head", &Config::tied_head, "Whether the output matrix is the token table.")
        .param("embedding_norm", &Config::embedding_norm, "Layer norm after the embedding.")
        .param("dropout", &Config::dropout, "On embeddings, attention probabilities and both residual branches.", 0,
               0.99)
        .param("init_std", &Config::init_std,
               "Standard deviation of initial weights; outputs of branches: / sqrt(2 layers).", 0, 10)
        .param("vocab_multiple", &Config::vocab_multiple, "The token table is padded to a multiple of this.", 1,
               1 << 16)
        .param("positional", &Config::positional, "How positions enter.");
  }
  explicit Gpt(const Config& config) : config_(config) {
    if (config_.ffn == 0) config_.ffn = 4 * config_.width;
    if (!config_.positional) throw assay::UserError("a positional scheme is needed; give \"none\" for no positions");
    auto& scheme = *config_.positional;
    assay::guard(scheme, "fit", [&] { scheme.fit({config_.layers, config_.heads, config_.width}); });
  }

  void bind(const assay::Vocabulary& vocabulary) override { vocabulary_ = vocabulary.size(); }

  void build(assay::Parameters& parameters) override {
    const auto& c = config_;
    const double branch_std = c.init_std / std::sqrt(2.0 * static_cast<double>(c.layers));
    embedding_ =
        nn::VocabularyEmbedding(parameters.scope("embedding"), vocabulary_, c.vocab_multiple, c.width, c.init_std);
    if (c.embedding_norm) embedding_norm_ = nn::LayerNorm(parameters.scope("embedding_norm"), c.width, c.bias);
    for (int64_t l = 0; l < c.layers; ++l) {
      const auto scope = parameters.scope("layers." + std::to_string(l));
      Block& block = blocks_.emplace_back();
      block.attention_norm = nn::LayerNorm(scope.scope("attention_norm"), c.width, c.bias);
      block.attention = nn::Attention(scope.scope("attention"), {.layer = l,
                                                                 .width = c.width,
                                                                 .heads = c.heads,
                                                                 .causal = true,
                                                                 .bias = c.bias,
                                                                 .init_std = c.init_std,
                                                                 .output_std = branch_std,
                                                                 .dropout = {c.dropout, 1 + 3 * l}});
      block.ffn_norm = nn::LayerNorm(scope.scope("ffn_norm"), c.width, c.bias);
      block.up = nn::ColumnLinear(scope.scope("up"), c.width, c.ffn, c.bias, c.init_std);
      block.down = nn::RowLinear(scope.scope("down"), c.ffn, c.width, c.bias, branch_std);
    }
    final_norm_ = nn::LayerNorm(parameters.scope("final_norm"), c.width, c.bias);
    if (!c.tied_head)
      head_ = nn::VocabularyEmbedding(parameters.scope("head"), vocabulary_, c.vocab_multiple, c.width, c.init_std,
                                      assay::Role::kHead);
  }

  bool causal() const override { return true; }
  int64_t layers() const override { return config_.layers; }
  int64_t width() const override { return config_.width; }
  bool splits_sequence() const override { return true; }
  int64_t padded_vocabulary() const override { return embedding_.padded(); }
  std::optional<int64_t> limit() const override {
    const auto& scheme = *config_.positional;
    return assay::guard(scheme, "limit", [&] { return scheme.limit(); });
  }

  assay::ModelOutput forward(const Batch& given, const assay::ForwardOptions& options) override {
    return run(nn::with_defaults(given), options, nullptr);
  }

  Tensor logits(const Tensor& hidden) override { return (config_.tied_head ? embedding_ : head_).logits(hidden); }

  assay::ModelOutput extend(assay::Cache& cache, const Tensor& tokens, const Tensor& mask) override {
    const c10::NoGradGuard no_grad;
    return run(nn::extend(cache, tokens, mask, config_.layers), {}, &cache);
  }

  double forward_flops(int64_t length, int64_t predicted) const override {
    const auto T = static_cast<double>(length), D = static_cast<double>(config_.width);
    const double block = 2 * T * D * (4 * D + 2 * static_cast<double>(config_.ffn)) + 4 * T * T * D;
    return static_cast<double>(config_.layers) * block +
           2 * static_cast<double>(predicted) * D * static_cast<double>(embedding_.padded());
  }

 private:
  struct Block {
    nn::LayerNorm attention_norm, ffn_norm;
    nn::Attention attention;
    nn::ColumnLinear up;
    nn::RowLinear down;
  };

  assay::ModelOutput run(const Batch& batch, const assay::ForwardOptions& options, assay::Cache* cache) const {
    const auto& key = options.key;
    const auto positions = nn::sequence_part(batch.positions);
    const auto drop = [&](const Tensor& x_BTD, int64_t site) {
      return nn::dropout(x_BTD, {config_.dropout, site}, key, batch.row_id, positions);
    };
    assay::ModelOutput out;
    const auto keep = [&](int64_t layer, const Tensor& x_BTD) {
      const auto& wanted = options.hidden_layers;
      if (std::find(wanted.begin(), wanted.end(), layer) != wanted.end()) out.hidden[layer] = nn::whole_sequence(x_BTD);
    };
    const auto& scheme = *config_.positional;
    auto x_BTD = options.embeddings.defined() ? nn::sequence_part(options.embeddings) : embedding_(batch.tokens);
    x_BTD = assay::embedded_by(scheme, x_BTD, positions);
    nn::watch(scheme.identity().instance + " (embed)", x_BTD);
    if (config_.embedding_norm) x_BTD = embedding_norm_(x_BTD);
    x_BTD = drop(x_BTD, 0);
    keep(0, x_BTD);
    for (int64_t l = 0; l < config_.layers; ++l) {
      const auto& block = blocks_[static_cast<size_t>(l)];
      x_BTD = x_BTD + drop(block.attention(block.attention_norm(x_BTD), scheme, batch, key, cache), 2 + 3 * l);
      const auto up_BTF = block.up(block.ffn_norm(x_BTD));
      const auto inner_BTF = config_.gelu == "tanh" ? nn::gelu_tanh(up_BTF) : at::gelu(up_BTF);
      x_BTD = x_BTD + drop(block.down(inner_BTF), 3 + 3 * l);
      keep(l + 1, x_BTD);
    }
    out.final_BTD = nn::whole_sequence(final_norm_(x_BTD));
    return out;
  }

  Config config_;
  int64_t vocabulary_ = 0;
  nn::VocabularyEmbedding embedding_, head_;
  nn::LayerNorm embedding_norm_, final_norm_;
  std::vector<Block> blocks_;
};

}  // namespace

ASSAY_PLUGIN("gpt", "1.0.0", assay::component<Gpt>("gpt"))
