// An objective with a child of a kind defined in this project: the squared hidden states of an inner layer, each
// position weighted by a scorer's value of its token.
#include <ATen/ops/tensor.h>

#include "assay/objective.h"
#include "assay/plugin.h"
#include "scorer.h"

namespace {

using assay::Tensor;

class Probe final : public assay::Objective {
 public:
  struct Config {
    int64_t layer = 1;
    assay::Child<consumer::Scorer> scorer{"rare_bytes"};
  };
  static void describe(auto& schema) {
    schema.doc("Keeps the hidden states of an inner layer small where a scorer says that it matters.")
        .param("layer", &Config::layer, "Which layer.", 1, 1024)
        .param("scorer", &Config::scorer, "What a position's token is worth.");
  }
  explicit Probe(const Config& config) : config_(config) {}

  assay::Needs needs() const override { return {.hidden_layers = {config_.layer}}; }

  void prepare(assay::PrepareContext& context) override {
    context.denominator("positions", static_cast<double>(context.batch().tokens.numel()));
  }

  void loss(assay::LossContext& context) override {
    const auto tokens = context.batch().tokens.contiguous();
    std::vector<double> worth;
    for (int64_t i = 0; i < tokens.numel(); ++i) worth.push_back(config_.scorer->score(tokens.data_ptr<int64_t>()[i]));
    const auto hidden = context.forward().hidden(config_.layer);
    const auto weight_BT = at::tensor(worth, hidden.options()).view(tokens.sizes());
    context.term("size", (hidden.pow(2).mean(-1) * weight_BT).sum(), "positions");
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("probe", "1.0.0", assay::component<Probe>("probe"))
