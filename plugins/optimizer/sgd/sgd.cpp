// Stochastic gradient descent with momentum, as PyTorch's torch.optim.SGD without dampening (Sutskever et al. 2013):
//   g += weight_decay * p;  v = momentum * v + g;  p -= lr * (nesterov ? g + momentum * v : v)
// Weight decay is part of the gradient and so of the momentum, unlike in AdamW.
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <map>
#include <utility>

#include "assay/optimizer.h"
#include "assay/plugin.h"

namespace {

using assay::Tensor;

class Sgd final : public assay::Optimizer {
 public:
  struct Config {
    double lr = 1e-2, momentum = 0.9, weight_decay = 0.0;
    bool nesterov = false;
  };
  static void describe(auto& schema) {
    schema.doc("Stochastic gradient descent with momentum, as in PyTorch.")
        .param("lr", &Config::lr, "Peak learning rate; the scheduler scales it.", 0)
        .param("momentum", &Config::momentum, "Decay rate of the sum of gradients; 0: no momentum.", 0, 0.9999999)
        .param("weight_decay", &Config::weight_decay, "Weight decay, added to the gradient of parameters that decay.",
               0)
        .param("nesterov", &Config::nesterov, "Whether to use Nesterov momentum.");
  }
  explicit Sgd(const Config& config) : config_(config) {}

  double peak_rate() const override { return config_.lr; }

  std::vector<std::string> validate(const assay::Assembly&) const override {
    if (config_.nesterov && config_.momentum == 0) return {"nesterov = true needs momentum above 0"};
    return {};
  }

  void attach(std::vector<assay::Parameter>& parameters, const assay::Mesh&) override {
    parameters_ = &parameters;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const auto& [spec, value] = parameters[i];
      groups_[{spec.decay, spec.rate_scale}].push_back(i);
      if (config_.momentum > 0) momentum_.push_back(at::zeros_like(value, value.options().requires_grad(false)));
    }
  }

  void step(double lr, double decay_multiplier) override {
    const c10::NoGradGuard no_grad;
    for (const auto& [rule, members] : groups_) {
      const auto [decays, rate_scale] = rule;
      std::vector<Tensor> values, gradients, momentum;
      for (const size_t i : members) {
        const auto& value = (*parameters_)[i].value;
        values.push_back(value);
        // The kernel walks memory, so a gradient needs the memory layout of its parameter.
        gradients.push_back(value.grad().defined() ? value.grad().contiguous() : at::zeros_like(value));
        if (config_.momentum > 0) momentum.push_back(momentum_[i]);
      }
      // is_first_step would overwrite momentum restored from a checkpoint; momentum of zeros gives the same update.
      at::_fused_sgd_(values, gradients, momentum, decays ? config_.weight_decay * decay_multiplier : 0.0,
                      config_.momentum, lr * rate_scale, /*dampening=*/0.0, config_.nesterov, /*maximize=*/false,
                      /*is_first_step=*/false);
    }
  }

  std::vector<State> state() override {
    std::vector<State> state;
    for (size_t i = 0; i < momentum_.size(); ++i)
      state.push_back({"momentum_buffer", static_cast<int64_t>(i), momentum_[i]});
    return state;
  }

 private:
  Config config_;
  std::vector<assay::Parameter>* parameters_ = nullptr;
  std::map<std::pair<bool, double>, std::vector<size_t>> groups_;  // by (decays, rate scale); one kernel call per group
  std::vector<Tensor> momentum_;
};

}  // namespace

ASSAY_PLUGIN("sgd", "1.0.0", assay::component<Sgd>("sgd"))
