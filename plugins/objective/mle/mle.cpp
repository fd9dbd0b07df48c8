// Maximum likelihood of the next token, -sum w ln p(target) / sum w. Bengio et al. 2003, "A neural probabilistic
// language model", sec. 2; w is the batch's loss_weight.
#include <ATen/ops/sum.h>

#include <string>
#include <vector>

#include "assay/objective.h"
#include "assay/plugin.h"

namespace {

class Mle final : public assay::Objective {
 public:
  struct Config {
    std::string norm = "tokens";
  };
  static void describe(auto& schema) {
    schema.doc("Mean negative log-likelihood of the next token, in nats.")
        .paper("jmlr:v3/bengio03a")
        .param(
            "norm", &Config::norm,
            "Denominator of the mean. tokens: the sum of the targets' weights. padded: all positions, padding and "
            "tokens of weight 0 included, which only reproduces numbers of code that does so (arXiv:2011.00620): it is "
            "too low by the share of the positions that count, and so is the learning rate.",
            {"tokens", "padded"})
        .added();
  }
  explicit Mle(const Config& config) : padded_(config.norm == "padded") {}

  std::vector<std::string> notes() const override {
    if (!padded_) return {};
    return {
        "norm = \"padded\" divides by padding, too; this loss is not a mean over tokens, and its exponential is not a "
        "perplexity"};
  }

  // A bidirectional model sees the next token and would only copy it.
  assay::Needs needs() const override { return {.causal = true}; }

  void prepare(assay::PrepareContext& context) override {
    const auto& batch = context.batch();
    const bool all = padded_ || !batch.loss_weight.defined();
    context.denominator("tokens", all ? static_cast<double>(batch.tokens.numel())
                                      : at::sum(batch.loss_weight, at::kDouble).item<double>());
  }

  void loss(assay::LossContext& context) override {
    const auto& weight = context.batch().loss_weight;
    const auto nll_BT = context.forward().token_nll();
    context.term("nll", at::sum(weight.defined() ? nll_BT * weight : nll_BT), "tokens");
  }

 private:
  bool padded_;
};

}  // namespace

ASSAY_PLUGIN("mle", "1.1.0", assay::component<Mle>("mle"))
