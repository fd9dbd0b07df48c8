// AdamW: Adam with bias correction and decoupled weight decay. Loshchilov and Hutter 2019, arXiv:1711.05101, alg. 2, as
// in PyTorch: the decay is multiplied by the learning rate. The update is in ../fused_adam.h.
#include <ATen/ops/zeros.h>

#include "../fused_adam.h"
#include "assay/plugin.h"

namespace {

using assay::Tensor;

class AdamW final : public assay::Optimizer {
 public:
  struct Config {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0.01;
  };
  static void describe(auto& schema) {
    schema.doc("Adam with bias correction and decoupled weight decay; defaults are PyTorch's.")
        .paper("arXiv:1711.05101")
        .param("lr", &Config::lr, "Peak learning rate; the scheduler scales it.", 0)
        .param("beta1", &Config::beta1, "Decay rate of the mean of gradients.", 0, kBelowOne)
        .param("beta2", &Config::beta2, "Decay rate of the mean of squared gradients.", 0, kBelowOne)
        .param("eps", &Config::eps, "Added to the square root of the second moment.", 0)
        .param("weight_decay", &Config::weight_decay,
               "Weight decay per update, times the learning rate, of parameters that decay.", 0);
  }
  explicit AdamW(const Config& config) : config_(config), adam_({config.beta1, config.beta2, config.eps}) {}

  double peak_rate() const override { return config_.lr; }

  void attach(std::vector<assay::Parameter>& parameters, const assay::Mesh&) override {
    std::vector<bool> decays;
    for (const auto& parameter : parameters) decays.push_back(parameter.spec.decay);
    adam_.attach(parameters, decays);
    // fp32 on the weights' device is what the fused kernels read; exact for 2^24 updates.
    if (!adam_.empty()) step_ = at::zeros({}, adam_.options().dtype(at::kFloat));
  }

  void step(double lr, double decay_multiplier) override {
    if (adam_.empty()) return;
    step_.add_(1);
    adam_.step(lr, config_.weight_decay * decay_multiplier, step_);
  }

  std::vector<State> state() override {
    auto state = adam_.state();
    if (step_.defined()) state.push_back({"step", -1, step_});
    return state;
  }

 private:
  Config config_;
  FusedAdam adam_;
  Tensor step_;
};

}  // namespace

ASSAY_PLUGIN("adamw", "1.0.0", assay::component<AdamW>("adamw"))
