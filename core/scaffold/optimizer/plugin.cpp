// ScaffoldName: gradient descent with momentum and decoupled weight decay.
#include "assay/plugin.h"

#include <ATen/ops/zeros_like.h>

#include "assay/optimizer.h"

namespace {

using assay::Tensor;

class ScaffoldName final : public assay::Optimizer {
 public:
  // The only place where a default stands.
  struct Config {
    double lr = 0.1;
    double momentum = 0.9;
    double weight_decay = 0.0;
  };
  static void describe(auto& schema) {
    schema.doc("Gradient descent with momentum and decoupled weight decay.")
        .param("lr", &Config::lr, "Peak learning rate.", 0, 100)
        .param("momentum", &Config::momentum, "Share of the last direction that stays.", 0, 0.9999)
        .param("weight_decay", &Config::weight_decay, "Decay a step, times the rate.", 0, 10);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  double peak_rate() const override { return config_.lr; }

  void attach(std::vector<assay::Parameter>& parameters, const assay::Mesh&) override {
    parameters_ = &parameters;
    for (const auto& parameter : parameters) momentum_.push_back(at::zeros_like(parameter.value.detach()));
  }

  void step(double lr, double decay_multiplier) override {
    for (size_t p = 0; p < parameters_->size(); ++p) {
      auto& [spec, value] = (*parameters_)[p];
      const double rate = lr * spec.rate_scale;
      momentum_[p].mul_(config_.momentum);
      if (value.grad().defined()) momentum_[p].add_(value.grad());
      if (spec.decay) value.mul_(1 - rate * config_.weight_decay * decay_multiplier);
      value.sub_(momentum_[p], rate);
    }
  }

  // Everything that the next step depends on, so that a run can go on from a checkpoint.
  std::vector<State> state() override {
    std::vector<State> all;
    for (size_t p = 0; p < momentum_.size(); ++p) all.push_back({"momentum", static_cast<int64_t>(p), momentum_[p]});
    return all;
  }

 private:
  Config config_;
  std::vector<assay::Parameter>* parameters_ = nullptr;
  std::vector<Tensor> momentum_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
