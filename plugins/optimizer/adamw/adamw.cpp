// AdamW: Adam with bias correction and decoupled weight decay. Loshchilov and Hutter 2019, arXiv:1711.05101, alg. 2, as
// in PyTorch: the decay is multiplied by the learning rate.
//   p -= lr * decay * p;   m += (1 - b1)(g - m);   v += (1 - b2)(g^2 - v);
//   p -= lr * m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <map>
#include <utility>

#include "assay/optimizer.h"
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
        .param("beta1", &Config::beta1, "Decay of the mean of gradients.", 0, kBelowOne)
        .param("beta2", &Config::beta2, "Decay of the mean of squared gradients.", 0, kBelowOne)
        .param("eps", &Config::eps, "Added to the root of the second moment.", 0)
        .param("weight_decay", &Config::weight_decay, "Of parameters that decay, times the learning rate, an update.",
               0);
  }
  explicit AdamW(const Config& config) : config_(config) {}

  double peak_rate() const override { return config_.lr; }

  void attach(std::vector<assay::Parameter>& parameters, const assay::Mesh&) override {
    parameters_ = &parameters;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const auto& [spec, value] = parameters[i];
      mean_.push_back(at::zeros_like(value, value.options().requires_grad(false)));
      square_.push_back(at::zeros_like(mean_.back()));
      groups_[{spec.decay, spec.rate_scale}].push_back(i);
    }
    // fp32 on the weights' device is what the fused kernels read; exact for 2^24 updates.
    if (!mean_.empty()) step_ = at::zeros({}, mean_.front().options().dtype(at::kFloat));
  }

  void step(double lr, double decay_multiplier) override {
    if (mean_.empty()) return;
    const c10::NoGradGuard no_grad;
    step_.add_(1);
    for (const auto& [rule, members] : groups_) {
      const auto [decay, rate_scale] = rule;
      std::vector<Tensor> values, gradients, means, squares;
      for (const size_t i : members) {
        const auto& value = (*parameters_)[i].value;
        values.push_back(value);
        // The kernel walks memory, so a gradient must lie as its parameter does.
        gradients.push_back(value.grad().defined() ? value.grad().contiguous() : at::zeros_like(mean_[i]));
        means.push_back(mean_[i]);
        squares.push_back(square_[i]);
      }
      const std::vector<Tensor> steps(members.size(), step_);
      at::_fused_adamw_(values, gradients, means, squares, {}, steps, lr * rate_scale, config_.beta1, config_.beta2,
                        decay ? config_.weight_decay * decay_multiplier : 0.0, config_.eps, /*amsgrad=*/false,
                        /*maximize=*/false);
    }
  }

  std::vector<State> state() override {
    std::vector<State> state;
    for (size_t i = 0; i < mean_.size(); ++i) {
      state.push_back({"exp_avg", static_cast<int64_t>(i), mean_[i]});
      state.push_back({"exp_avg_sq", static_cast<int64_t>(i), square_[i]});
    }
    if (step_.defined()) state.push_back({"step", -1, step_});
    return state;
  }

 private:
  static constexpr double kBelowOne = 0.999999999;  // ranges are inclusive, and 1 would never forget or divide by zero

  Config config_;
  std::vector<assay::Parameter>* parameters_ = nullptr;
  std::map<std::pair<bool, double>, std::vector<size_t>> groups_;  // by (decays, rate scale): one kernel call each
  std::vector<Tensor> mean_, square_;
  Tensor step_;
};

}  // namespace

ASSAY_PLUGIN("adamw", "1.0.0", assay::component<AdamW>("adamw"))
