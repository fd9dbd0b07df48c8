// Compiled with -O3 -ffast-math (core/CMakeLists.txt): the C library then computes exp and log of a whole vector.
// Values are finite here, because rows are checked when they are read.
#include "scaling/log_residuals.h"

#include <cmath>

#if defined(__x86_64__)
#define ASSAY_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define ASSAY_CLONES
#endif

namespace assay::scaling {
namespace {

ASSAY_CLONES double sum_of(const double* law, double* gradient, const double* n, const double* d, const double* l,
                           const double* w, std::size_t rows, double delta) {
  const double a = law[0], b = law[1], e = law[2], alpha = law[3], beta = law[4], scale = 1 / delta;
  double sum = 0, by_a = 0, by_b = 0, by_e = 0, by_alpha = 0, by_beta = 0;
#pragma omp simd reduction(+ : sum, by_a, by_b, by_e, by_alpha, by_beta)
  for (std::size_t i = 0; i < rows; ++i) {
    // The softmax of the three terms and their log-sum-exp.
    const double by_size = a - alpha * n[i], by_data = b - beta * d[i];
    const double larger = by_size > by_data ? by_size : by_data, top = larger > e ? larger : e;
    const double w_size = std::exp(by_size - top), w_data = std::exp(by_data - top), w_rest = std::exp(e - top);
    const double total = w_size + w_data + w_rest;
    const double residual = top + std::log(total) - l[i], size = std::fabs(residual);
    sum += w[i] * (size <= delta ? 0.5 * residual * residual * scale : size - 0.5 * delta);
    // The slope of Huber's loss, handed to the terms by their weights.
    double slope = residual * scale;
    slope = slope > 1 ? 1 : slope;
    slope = slope < -1 ? -1 : slope;
    const double share = w[i] * slope / total, size_share = share * w_size, data_share = share * w_data;
    by_a += size_share;
    by_b += data_share;
    by_e += share * w_rest;
    by_alpha -= size_share * n[i];
    by_beta -= data_share * d[i];
  }
  if (gradient) {
    gradient[0] = by_a;
    gradient[1] = by_b;
    gradient[2] = by_e;
    gradient[3] = by_alpha;
    gradient[4] = by_beta;
  }
  return sum;
}

}  // namespace

PowerLaw power_law_of(const LogLaw& law) {
  return {.A = std::exp(law[0]), .B = std::exp(law[1]), .E = std::exp(law[2]), .alpha = law[3], .beta = law[4]};
}

LogLaw log_law_of(const PowerLaw& law) {
  return {std::log(law.A), std::log(law.B), std::log(law.E), law.alpha, law.beta};
}

LogPoints::LogPoints(std::span<const Point> points) : weights(points.size(), 1) {
  for (const auto& point : points) {
    parameters.push_back(std::log(point.parameters));
    tokens.push_back(std::log(point.tokens));
    losses.push_back(std::log(point.loss));
  }
}

double huber_over_delta(const LogPoints& points, const LogLaw& law, double delta, double* gradient) {
  return sum_of(law.data(), gradient, points.parameters.data(), points.tokens.data(), points.losses.data(),
                points.weights.data(), points.weights.size(), delta);
}

}  // namespace assay::scaling
