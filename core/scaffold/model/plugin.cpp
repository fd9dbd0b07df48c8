// ScaffoldName: a decoder without attention: each layer mixes a position with the mean of all before it.
#include "assay/plugin.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <optional>
#include <string>

#include "assay/model.h"
#include "assay/nn.h"
#include "assay/positional.h"

namespace {

using assay::Tensor;
namespace nn = assay::nn;

class ScaffoldName final : public assay::Model {
 public:
  // The only place where a default stands.
  struct Config {
    int64_t layers = 2, width = 32;
    double init_std = 0.1;
    assay::Child<assay::Positional> positional{"none"};
  };
  static void describe(auto& schema) {
    schema.doc("Layers that mix a position with the mean of all before it.")
        .param("layers", &Config::layers, "Number of layers.", 1, 1024)
        .param("width", &Config::width, "Width of the hidden states.", 1, 1 << 16)
        .param("init_std", &Config::init_std, "Standard deviation of initial weights.", 0, 10)
        .param("positional", &Config::positional, "What is added to the embeddings; there are no scores to change.");
  }
  explicit ScaffoldName(const Config& config) : config_(config) {
    if (!config_.positional) throw assay::UserError("a positional scheme is needed; give \"none\" for no positions");
    auto& scheme = *config_.positional;
    assay::guard(scheme, "fit", [&] { scheme.fit({config_.layers, 1, config_.width}); });
  }

  void bind(const assay::Vocabulary& vocabulary) override { vocabulary_ = vocabulary.size(); }

  // Layers split themselves over the tensor ranks; nothing here mentions ranks.
  void build(assay::Parameters& parameters) override {
    const auto D = config_.width;
    embedding_ = nn::VocabularyEmbedding(parameters.scope("embedding"), vocabulary_, 8, D, config_.init_std);
    for (int64_t l = 0; l < config_.layers; ++l) {
      const auto scope = parameters.scope("layers." + std::to_string(l));
      auto& block = blocks_.emplace_back();
      block.norm = nn::LayerNorm(scope.scope("norm"), D, true);
      block.up = nn::ColumnLinear(scope.scope("up"), 2 * D, 4 * D, true, config_.init_std);
      block.down = nn::RowLinear(scope.scope("down"), 4 * D, D, true, config_.init_std);
    }
    norm_ = nn::LayerNorm(parameters.scope("norm"), D, true);
  }

  bool causal() const override { return true; }
  int64_t layers() const override { return config_.layers; }
  int64_t width() const override { return config_.width; }
  int64_t padded_vocabulary() const override { return embedding_.padded(); }
  std::optional<int64_t> limit() const override { return config_.positional->limit(); }
  Tensor logits(const Tensor& hidden) override { return embedding_.logits(hidden); }

  assay::ModelOutput forward(const assay::Batch& batch, const assay::ForwardOptions& options) override {
    return run(nn::with_defaults(batch), options, nullptr);
  }

  // New positions behind a cache; here its keys hold each layer's inputs so far.
  assay::ModelOutput extend(assay::Cache& cache, const Tensor& tokens, const Tensor& mask) override {
    if (mask.defined() && !mask.all().item<bool>())
      throw assay::UserError("scaffold_name has no notion of padding; give prompts of one length");
    const c10::NoGradGuard no_grad;
    return run(nn::extend(cache, tokens, mask, config_.layers), {}, &cache);
  }

  double forward_flops(int64_t length, int64_t predicted) const override {
    const auto T = static_cast<double>(length), D = static_cast<double>(config_.width);
    return static_cast<double>(config_.layers) * 2 * T * D * 4 * D * 3 +
           2 * static_cast<double>(predicted) * D * static_cast<double>(embedding_.padded());
  }

 private:
  struct Block {
    nn::LayerNorm norm;
    nn::ColumnLinear up;
    nn::RowLinear down;
  };

  assay::ModelOutput run(const assay::Batch& batch, const assay::ForwardOptions& options, assay::Cache* cache) const {
    assay::ModelOutput out;
    const auto& scheme = *config_.positional;
    const auto& wanted = options.hidden_layers;
    auto x_BTD = options.embeddings.defined() ? options.embeddings : embedding_(batch.tokens);
    x_BTD = assay::checked_embedding(scheme, x_BTD, batch.positions);
    const auto keep = [&](int64_t layer) {
      if (std::find(wanted.begin(), wanted.end(), layer) != wanted.end()) out.hidden[layer] = x_BTD;
    };
    keep(0);
    for (int64_t l = 0; l < config_.layers; ++l) {
      const auto& block = blocks_[static_cast<size_t>(l)];
      const auto now_BTD = block.norm(x_BTD);
      auto all_BSD = now_BTD;
      if (cache) {
        auto& seen = cache->layers[static_cast<size_t>(l)].keys;  // [B, 1, S, D]
        seen = seen.defined() ? at::cat({seen, now_BTD.unsqueeze(1)}, 2) : now_BTD.unsqueeze(1);
        cache->layers[static_cast<size_t>(l)].values = seen;
        all_BSD = seen.squeeze(1);
      }
      const auto S = all_BSD.size(1), T = now_BTD.size(1);
      const auto count_S1 = at::arange(1, S + 1, all_BSD.options()).unsqueeze(-1);
      auto mean_BTD = (all_BSD.cumsum(1) / count_S1).narrow(1, S - T, T);
      if (cache && cache->alternatives)  // each sees what was before all of them, and itself
        mean_BTD = (all_BSD.narrow(1, 0, S - T).sum(1, /*keepdim=*/true) + now_BTD) / (S - T + 1);
      x_BTD = x_BTD + block.down(nn::gelu_tanh(block.up(at::cat({now_BTD, mean_BTD}, -1))));
      keep(l + 1);
    }
    out.final_BTD = norm_(x_BTD);
    return out;
  }

  Config config_;
  int64_t vocabulary_ = 0;
  nn::VocabularyEmbedding embedding_;
  std::vector<Block> blocks_;
  nn::LayerNorm norm_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
