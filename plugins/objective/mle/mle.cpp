// Maximum likelihood of the next token, -sum w ln p(target) / sum w. Bengio et al. 2003, "A neural probabilistic
// language model", sec. 2; w is the batch's loss_weight.
#include <ATen/ops/sum.h>

#include "assay/objective.h"
#include "assay/plugin.h"

namespace {

class Mle final : public assay::Objective {
 public:
  struct Config {};
  static void describe(auto& schema) {
    schema.doc("Mean negative log-likelihood of the next token, in nats.").paper("jmlr:v3/bengio03a");
  }
  explicit Mle(const Config&) {}

  // A bidirectional model sees the next token and would only copy it.
  assay::Needs needs() const override { return {.causal = true}; }

  void prepare(assay::PrepareContext& context) override {
    const auto& batch = context.batch();
    context.denominator("tokens", batch.loss_weight.defined() ? at::sum(batch.loss_weight, at::kDouble).item<double>()
                                                              : static_cast<double>(batch.tokens.numel()));
  }

  void loss(assay::LossContext& context) override {
    const auto& weight = context.batch().loss_weight;
    const auto nll_BT = context.forward().token_nll();
    context.term("nll", at::sum(weight.defined() ? nll_BT * weight : nll_BT), "tokens");
  }
};

}  // namespace

ASSAY_PLUGIN("mle", "1.0.0", assay::component<Mle>("mle"))
