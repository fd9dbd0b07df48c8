// Adam's moments, updated by LibTorch's fused kernel with decoupled weight decay:
//   p -= lr * decay * p;   m += (1 - b1)(g - m);   v += (1 - b2)(g^2 - v);
//   p -= lr * m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
// t = infinity turns bias correction off: b^t is 0 then, and eps is added outside the root.
#pragma once

#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "assay/optimizer.h"

namespace {

class FusedAdam {
 public:
  struct Rule {
    double beta1, beta2, eps;
  };
  explicit FusedAdam(const Rule& rule) : rule_(rule) {}

  // decays: whether each parameter decays.
  void attach(std::vector<assay::Parameter>& parameters, const std::vector<bool>& decays) {
    std::vector<size_t> all(parameters.size());
    std::iota(all.begin(), all.end(), size_t{0});
    attach(parameters, decays, all);
  }
  // chosen: the parameters that are updated.
  void attach(std::vector<assay::Parameter>& parameters, const std::vector<bool>& decays,
              const std::vector<size_t>& chosen) {
    parameters_ = &parameters;
    chosen_ = chosen;
    for (size_t c = 0; c < chosen.size(); ++c) {
      const auto& [spec, value] = parameters[chosen[c]];
      mean_.push_back(at::zeros_like(value, value.options().requires_grad(false)));
      square_.push_back(at::zeros_like(mean_.back()));
      groups_[{decays[chosen[c]], spec.rate_scale}].push_back(c);
    }
  }

  bool empty() const { return mean_.empty(); }
  at::TensorOptions options() const { return mean_.front().options(); }

  // t: one fp32 number on the weights' device.
  void step(double lr, double weight_decay, const assay::Tensor& t) {
    const c10::NoGradGuard no_grad;
    for (const auto& [rule, members] : groups_) {
      const auto [decays, rate_scale] = rule;
      std::vector<assay::Tensor> values, gradients, means, squares;
      for (const size_t c : members) {
        const auto& value = (*parameters_)[chosen_[c]].value;
        values.push_back(value);
        // The kernel walks memory, so a gradient needs the memory layout of its parameter.
        gradients.push_back(value.grad().defined() ? value.grad().contiguous() : at::zeros_like(mean_[c]));
        means.push_back(mean_[c]);
        squares.push_back(square_[c]);
      }
      const std::vector<assay::Tensor> steps(members.size(), t);
      at::_fused_adamw_(values, gradients, means, squares, {}, steps, lr * rate_scale, rule_.beta1, rule_.beta2,
                        decays ? weight_decay : 0.0, rule_.eps, /*amsgrad=*/false, /*maximize=*/false);
    }
  }

  std::vector<assay::Optimizer::State> state() {
    std::vector<assay::Optimizer::State> state;
    for (size_t c = 0; c < chosen_.size(); ++c) {
      state.push_back({"exp_avg", static_cast<int64_t>(chosen_[c]), mean_[c]});
      state.push_back({"exp_avg_sq", static_cast<int64_t>(chosen_[c]), square_[c]});
    }
    return state;
  }

 private:
  const Rule rule_;
  std::vector<assay::Parameter>* parameters_ = nullptr;
  std::vector<size_t> chosen_;                                     // of the parameters; groups have places among them
  std::map<std::pair<bool, double>, std::vector<size_t>> groups_;  // by (decays, rate scale); one kernel call per group
  std::vector<assay::Tensor> mean_, square_;
};

constexpr double kBelowOne = 0.9999999;  // ranges are inclusive, and a beta must be below 1 in fp32 too

}  // namespace
