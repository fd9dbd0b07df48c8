// Multinomial logistic regression with an L2 penalty on standardised features: convex, so its optimum does
// not depend on the start. It is found by Nesterov's accelerated gradient method (Nesterov 1983) with a step from the
// features.
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "assay/tensor.h"

namespace assay::probe {

class Regression {
 public:
  // features [N, D] fp64, labels [N] int64 in [0, classes). The loss is the mean over texts of -ln p(label), plus l2 /
  // 2 times the squared weights without intercepts.
  Regression(const Tensor& features, const Tensor& labels, int64_t classes, double l2)
      : mean_(features.mean(0)), scale_(features.std(0, /*unbiased=*/false)) {
    scale_.masked_fill_(scale_.lt(1e-12), 1);  // constant features
    const auto x = with_ones(features), y = at::one_hot(labels, classes).to(at::kDouble);
    const auto n = static_cast<double>(features.size(0));
    auto penalty = at::ones({x.size(1), 1}, x.options()) * l2;
    penalty[-1].fill_(0);
    // The softmax's Hessian is at most half of the features' second moments (Boehning 1992).
    const double rate = 1 / (0.5 * largest_eigenvalue(at::matmul(x.t(), x) / n) + l2);
    weights_ = at::zeros({x.size(1), classes}, x.options());
    auto ahead = weights_.clone();
    double t = 1;
    for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
      const auto gradient = at::matmul(x.t(), at::log_softmax(at::matmul(x, ahead), 1).exp() - y) / n + penalty * ahead;
      converged_ = gradient.abs().max().item<double>() < kTolerance;
      if (converged_) break;
      const auto next = ahead - rate * gradient;
      // A step up the gradient restarts the momentum (O'Donoghue and Candes 2015, sec. 3.2).
      if ((gradient * (next - weights_)).sum().item<double>() > 0) t = 1;
      const double t_next = (1 + std::sqrt(1 + 4 * t * t)) / 2;
      ahead = next + (t - 1) / t_next * (next - weights_);
      weights_ = next;
      t = t_next;
    }
  }

  // ln p of every class, [N, classes].
  Tensor ln_p(const Tensor& features) const { return at::log_softmax(at::matmul(with_ones(features), weights_), 1); }
  bool converged() const { return converged_; }
  const Tensor& weights() const {
    return weights_;
  }  // [D + 1, classes], of standardised features; the last row are intercepts

 private:
  static constexpr int kMaxIterations = 20000;
  static constexpr double kTolerance = 1e-7;

  Tensor with_ones(const Tensor& features) const {
    const auto x = (features - mean_) / scale_;
    return at::cat({x, at::ones({x.size(0), 1}, x.options())}, 1);
  }
  static double largest_eigenvalue(const Tensor& symmetric) {
    auto v = at::ones({symmetric.size(0)}, symmetric.options());
    double norm = 0;
    for (int iteration = 0; iteration < 100; ++iteration) {
      v = at::matmul(symmetric, v);
      norm = v.norm().item<double>();
      if (norm == 0) return 0;
      v = v / norm;
    }
    return norm * 1.05;  // power iteration converges from below
  }

  Tensor mean_, scale_, weights_;
  bool converged_ = false;
};

}  // namespace assay::probe
