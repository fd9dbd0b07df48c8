// BERT's optimizer: google-research/bert at eedf571, optimization.py, AdamWeightDecayOptimizer.
//   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  u = m / (sqrt(v) + eps)
//   p -= lr * (u + weight_decay * p where p decays)
// No correction of the moments' bias (the authors: an oversight that does not matter with warm-up; bert issue #153):
// the first update is (1 - b1) / sqrt(1 - b2) = 3.16 times Adam's. Parameters whose names match a regular expression do
// not decay, nor do those that components exempt. The update is in ../fused_adam.h.
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <limits>
#include <regex>
#include <set>
#include <string>

#include "../fused_adam.h"
#include "assay/plugin.h"

namespace {

using assay::Tensor;

// Layers that differ only in their number share a name: "model.layers.*.up.bias".
std::string without_numbers(const std::string& name) {
  static const std::regex number("\\.[0-9]+(?=\\.)");
  return std::regex_replace(name, number, ".*");
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

class AdamWeightDecay final : public assay::Optimizer {
 public:
  struct Config {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-6, weight_decay = 0.01;
    std::vector<std::string> no_decay{"LayerNorm", "layer_norm", "bias"};
    bool bias_correction = false;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "BERT's Adam: decoupled weight decay, parameters exempt by regular expressions on their names, no "
            "bias correction by default.")
        .paper("arXiv:1810.04805")
        .param("lr", &Config::lr, "Peak learning rate; the scheduler scales it.", 0)
        .param("beta1", &Config::beta1, "Decay rate of the mean of gradients.", 0, kBelowOne)
        .param("beta2", &Config::beta2, "Decay rate of the mean of squared gradients.", 0, kBelowOne)
        .param("eps", &Config::eps, "Added to the square root of the second moment.", 0)
        .param("weight_decay", &Config::weight_decay,
               "Weight decay per update, times the learning rate, of parameters that decay.", 0)
        .param("no_decay", &Config::no_decay,
               "Regular expressions (ECMAScript): parameters whose name contains a match do not decay, nor do "
               "those that their component exempts.")
        .param("bias_correction", &Config::bias_correction,
               "Whether to correct the bias of the moments, as Adam does.");
  }
  explicit AdamWeightDecay(const Config& config) : config_(config), adam_({config.beta1, config.beta2, config.eps}) {
    for (const auto& text : config.no_decay) try {
        no_decay_.emplace_back(text);
      } catch (const std::regex_error& error) {
        throw assay::UserError("no_decay: '" + text + "' is not a valid regular expression (" + error.what() + ")");
      }
  }

  double peak_rate() const override { return config_.lr; }

  void attach(std::vector<assay::Parameter>& parameters, const assay::Mesh&) override {
    std::vector<bool> decays;
    for (const auto& [spec, value] : parameters) {
      const auto* match = matched(spec.name);
      decays.push_back(spec.decay && !match);
      if (decays.back()) continue;
      exempt_.insert(without_numbers(spec.name));
      if (spec.decay) by_name_alone_[*match].insert(without_numbers(spec.name));
    }
    adam_.attach(parameters, decays);
    if (adam_.empty()) return;
    const auto options = adam_.options().dtype(at::kFloat);
    step_ = config_.bias_correction ? at::zeros({}, options)
                                    : at::full({}, std::numeric_limits<float>::infinity(), options);
  }

  std::vector<std::string> notes() const override {
    if (config_.weight_decay == 0) return {};
    std::vector<std::string> notes{"no weight decay on " + (exempt_.empty() ? "nothing" : joined(exempt_))};
    for (const auto& [expression, names] : by_name_alone_)
      notes.push_back("warning: no_decay '" + expression + "' also matches " + joined(names) +
                      ", which would decay otherwise; use a narrower expression if this is not intended");
    return notes;
  }

  void step(double lr, double decay_multiplier) override {
    if (adam_.empty()) return;
    step_.add_(1);
    adam_.step(lr, config_.weight_decay * decay_multiplier, step_);
  }

  std::vector<State> state() override {
    auto state = adam_.state();
    if (step_.defined() && config_.bias_correction) state.push_back({"step", -1, step_});
    return state;
  }
  // With bias correction the state is AdamW's; without it the number of updates is not kept.
  std::string state_format() const override {
    return config_.bias_correction ? "adamw" : assay::Optimizer::state_format();
  }

 private:
  // The first expression with a match in a name.
  const std::string* matched(const std::string& name) const {
    for (size_t i = 0; i < no_decay_.size(); ++i)
      if (std::regex_search(name, no_decay_[i])) return &config_.no_decay[i];
    return nullptr;
  }

  Config config_;
  std::vector<std::regex> no_decay_;
  FusedAdam adam_;
  Tensor step_;  // infinity without bias correction
  std::set<std::string> exempt_;
  std::map<std::string, std::set<std::string>>
      by_name_alone_;  // by expression: parameters that it exempts and their component does not
};

}  // namespace

ASSAY_PLUGIN("adam_weight_decay", "1.0.0", assay::component<AdamWeightDecay>("adam_weight_decay"))
