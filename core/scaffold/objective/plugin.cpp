// ScaffoldName: next-token cross entropy, plus a weight times the squared loss of each token, so that what is hardly
// predicted counts more.
#include "assay/plugin.h"

#include "assay/objective.h"

namespace {

class ScaffoldName final : public assay::Objective {
 public:
  // The only place where a default stands.
  struct Config {
    double square = 0.1;
  };
  static void describe(auto& schema) {
    schema.doc("Next-token cross entropy, with a weight on the square of each token's.")
        .param("square", &Config::square, "Weight of the squared part.", 0, 10);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  // Before any forward: what the terms are divided by, over all micro-batches and replicas.
  void prepare(assay::PrepareContext& context) override {
    const auto& weight_BT = context.batch().loss_weight;
    context.denominator("targets", weight_BT.defined() ? weight_BT.sum().item<double>()
                                                       : static_cast<double>(context.batch().targets.numel()));
  }

  void loss(assay::LossContext& context) override {
    const auto nll_BT = context.forward().token_nll();
    const auto& weight_BT = context.batch().loss_weight;
    const auto sum = [&](const assay::Tensor& x_BT) { return (weight_BT.defined() ? x_BT * weight_BT : x_BT).sum(); };
    context.term("nll", sum(nll_BT), "targets");
    context.term("square", sum(nll_BT.square()), "targets", config_.square);
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
