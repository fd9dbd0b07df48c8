// Lion: the sign of an interpolation of momentum and gradient. Chen et al. 2023, arXiv:2302.06675, algorithm 2, as in
// the authors' PyTorch code (google/automl, lion/lion_pytorch.py): the decay comes first and is multiplied by the
// learning rate.
//   p -= lr * weight_decay * p;   p -= lr * sign(beta1 m + (1 - beta1) g);   m = beta2 m + (1 - beta2) g
// A gradient that is rounding error alone, like that of a key's bias, has a sign, too: such a parameter moves by the
// learning rate at every step, and differs between meshes.
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include "assay/optimizer.h"
#include "assay/plugin.h"

namespace {

using assay::Tensor;

class Lion final : public assay::Optimizer {
 public:
  struct Config {
    double lr = 1e-4, beta1 = 0.9, beta2 = 0.99, weight_decay = 0.0;
  };
  static void describe(auto& schema) {
    schema
        .doc("Moves every weight by the learning rate, in the direction of a sign: one moment, a third of Adam's rate.")
        .paper("arXiv:2302.06675")
        .param("lr", &Config::lr, "Peak learning rate; the scheduler scales it.", 0)
        .param("beta1", &Config::beta1, "Share of the momentum in the direction.", 0, 1)
        .param("beta2", &Config::beta2, "Decay rate of the momentum.", 0, 1)
        .param("weight_decay", &Config::weight_decay,
               "Weight decay per update, times the learning rate, of parameters that decay.", 0);
  }
  explicit Lion(const Config& config) : config_(config) {}

  double peak_rate() const override { return config_.lr; }

  void attach(std::vector<assay::Parameter>& parameters, const assay::Mesh&) override {
    parameters_ = &parameters;
    for (const auto& parameter : parameters)
      momentum_.push_back(at::zeros_like(parameter.value, parameter.value.options().requires_grad(false)));
  }

  void step(double lr, double decay_multiplier) override {
    const c10::NoGradGuard no_grad;
    for (size_t i = 0; i < momentum_.size(); ++i) {
      auto& [spec, value] = (*parameters_)[i];
      auto& momentum = momentum_[i];
      const double rate = lr * spec.rate_scale;
      if (spec.decay) value.mul_(1 - rate * config_.weight_decay * decay_multiplier);
      const auto gradient = value.grad().defined() ? value.grad() : at::zeros_like(momentum);
      value.add_((momentum * config_.beta1).add_(gradient, 1 - config_.beta1).sign_(), -rate);
      momentum.mul_(config_.beta2).add_(gradient, 1 - config_.beta2);
    }
  }

  std::vector<State> state() override {
    std::vector<State> state;
    for (size_t i = 0; i < momentum_.size(); ++i) state.push_back({"exp_avg", static_cast<int64_t>(i), momentum_[i]});
    return state;
  }

 private:
  Config config_;
  std::vector<assay::Parameter>* parameters_ = nullptr;
  std::vector<Tensor> momentum_;
};

}  // namespace

ASSAY_PLUGIN("lion", "1.0.0", assay::component<Lion>("lion"))
