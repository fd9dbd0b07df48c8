// Muon: the momentum of a matrix is orthogonalised before it is applied. Jordan et al. 2024
// (kellerjordan.github.io/posts/muon), and Liu et al. 2025, arXiv:2502.16982, for weight decay and the second scale.
//   m = momentum m + g;   u = orthogonalised(g + momentum m) with nesterov, else orthogonalised(m)
//   p -= lr * weight_decay * p;   p -= lr * scale * u
// Which parameters: the matrices between hidden states (role kMatrix). Token and position tables, output heads, norms
// and biases take AdamW's update, with a learning rate of their own and the same schedule. A matrix is orthogonalised
// whole, as it is stored: the projection to queries, keys and values is one. Every rank gathers the momentum of a
// matrix that is split over the tensor ranks, and keeps its part of the update.
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "../fused_adam.h"
#include "assay/plugin.h"
#include "orthogonal.h"

namespace {

using assay::Tensor;

class Muon final : public assay::Optimizer {
 public:
  struct Config {
    double lr = 0.02, momentum = 0.95, weight_decay = 0.0;
    bool nesterov = true;
    int64_t steps = 5;
    std::string scale = "shape";
    double adam_lr = 3e-4, beta1 = 0.9, beta2 = 0.95, eps = 1e-10;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Orthogonalises the momentum of matrices between hidden states by Newton-Schulz iterations; AdamW for all "
            "other parameters.")
        .paper("arXiv:2502.16982")
        .param("lr", &Config::lr, "Peak learning rate of the matrices; the scheduler scales it.", 0)
        .param("momentum", &Config::momentum, "Decay rate of the sum of gradients.", 0, kBelowOne)
        .param("nesterov", &Config::nesterov, "Whether the gradient is added to the momentum once more.")
        .param("steps", &Config::steps, "Newton-Schulz iterations.", 1, 100)
        .param(
            "scale", &Config::scale,
            "Factor on an update of a matrix [out, in]. shape: sqrt(max(1, out / in)), of the authors' code. rms: 0.2 "
            "sqrt(max(out, in)), with which updates are as large as AdamW's and its learning rate and decay carry "
            "over.",
            {"shape", "rms"})
        .param("weight_decay", &Config::weight_decay,
               "Weight decay per update, times the learning rate, of parameters that decay.", 0)
        .param("adam_lr", &Config::adam_lr, "Peak learning rate of the other parameters; the same schedule scales it.",
               0)
        .param("beta1", &Config::beta1, "AdamW's decay rate of the mean of gradients.", 0, kBelowOne)
        .param("beta2", &Config::beta2, "AdamW's decay rate of the mean of squared gradients.", 0, kBelowOne)
        .param("eps", &Config::eps, "Added to the square root of AdamW's second moment.", 0);
  }
  explicit Muon(const Config& config) : config_(config), adam_({config.beta1, config.beta2, config.eps}) {
    if (config.lr == 0)
      throw assay::UserError("lr: Muon's learning rate must be above 0; the schedule is relative to it");
  }

  double peak_rate() const override { return config_.lr; }

  void attach(std::vector<assay::Parameter>& parameters, const assay::Mesh& mesh) override {
    parameters_ = &parameters;
    mesh_ = &mesh;
    std::vector<bool> decays;
    std::vector<size_t> others;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const auto& [spec, value] = parameters[i];
      decays.push_back(spec.decay);
      if (spec.role == assay::Role::kMatrix && value.dim() == 2)
        matrices_.push_back({i, at::zeros_like(value, value.options().requires_grad(false))});
      else
        others.push_back(i);
    }
    adam_.attach(parameters, decays, others);
    if (!adam_.empty()) step_ = at::zeros({}, adam_.options().dtype(at::kFloat));
  }

  void step(double lr, double decay_multiplier) override {
    const c10::NoGradGuard no_grad;
    const double decay = config_.weight_decay * decay_multiplier;
    for (auto& [i, momentum] : matrices_) {
      auto& [spec, value] = (*parameters_)[i];
      const double rate = lr * spec.rate_scale;
      if (spec.decay) value.mul_(1 - rate * decay);
      const auto gradient = value.grad().defined() ? value.grad() : at::zeros_like(momentum);
      momentum.mul_(config_.momentum).add_(gradient);
      value.add_(update_of(spec, config_.nesterov ? gradient + momentum * config_.momentum : momentum), -rate);
    }
    if (adam_.empty()) return;
    step_.add_(1);
    adam_.step(lr / config_.lr * config_.adam_lr, decay, step_);
  }

  std::vector<State> state() override {
    auto state = adam_.state();
    for (const auto& [i, momentum] : matrices_) state.push_back({"momentum_buffer", static_cast<int64_t>(i), momentum});
    if (step_.defined()) state.push_back({"step", -1, step_});
    return state;
  }

 private:
  struct Matrix {
    size_t parameter;
    Tensor momentum;
  };

  // This rank's part of the orthogonalised whole, scaled.
  Tensor update_of(const assay::ParameterSpec& spec, const Tensor& part) const {
    const auto split = spec.shard_dim;
    const auto whole = split < 0 ? part : assay::gather_from_tensor_parallel_region(part, split, *mesh_);
    const auto out = static_cast<double>(whole.size(0)), in = static_cast<double>(whole.size(1));
    const double scale =
        config_.scale == "rms" ? 0.2 * std::sqrt(std::max(out, in)) : std::sqrt(std::max(1.0, out / in));
    const auto update = assay::muon::orthogonalized(whole, config_.steps) * scale;
    return split < 0 ? update : assay::scatter_to_tensor_parallel_region(update, split, *mesh_);
  }

  Config config_;
  FusedAdam adam_;
  std::vector<assay::Parameter>* parameters_ = nullptr;
  const assay::Mesh* mesh_ = nullptr;
  std::vector<Matrix> matrices_;
  Tensor step_;
};

}  // namespace

ASSAY_PLUGIN("muon", "1.0.0", assay::component<Muon>("muon"))
