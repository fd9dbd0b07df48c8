#include "scaling/envelope.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "assay/error.h"

namespace assay::scaling {
namespace {

// Linear in log C; nothing outside of the curve.
double loss_at(const Curve& curve, const std::vector<double>& losses, double flops) {
  const auto above = std::lower_bound(curve.flops.begin(), curve.flops.end(), flops);
  if (above == curve.flops.end()) return std::numeric_limits<double>::infinity();
  const auto i = static_cast<std::size_t>(above - curve.flops.begin());
  if (*above == flops) return losses[i];
  if (i == 0) return std::numeric_limits<double>::infinity();
  const double share = std::log(flops / curve.flops[i - 1]) / std::log(curve.flops[i] / curve.flops[i - 1]);
  return losses[i - 1] + share * (losses[i] - losses[i - 1]);
}

void check(std::span<const Curve> curves) {
  if (curves.size() < 2)
    throw UserError(fmt::format("the envelope has {} training curves; it needs at least 2", curves.size()));
  for (const auto& curve : curves)
    if (curve.flops.size() < 2)
      throw UserError(
          fmt::format("{}: the curve has {} steps; the envelope needs at least 2", curve.name, curve.flops.size()));
}

}  // namespace

std::vector<double> smoothed(std::span<const double> steps, std::span<const double> losses, double window) {
  if (!(window > 0)) return {losses.begin(), losses.end()};
  std::vector<double> means;
  std::size_t first = 0;
  for (const double step : steps) {
    while (step - steps[first] > 4 * window) ++first;
    double sum = 0, weight = 0;
    for (auto i = first; i < steps.size() && steps[i] - step <= 4 * window; ++i) {
      const double far = (steps[i] - step) / window, share = std::exp(-0.5 * far * far);
      sum += share * losses[i];
      weight += share;
    }
    means.push_back(sum / weight);
  }
  return means;
}

Envelope::Envelope(std::span<const Curve> curves, const EnvelopeOptions& options) {
  check(curves);
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (const auto& curve : curves) {
    low = std::min(low, curve.flops.front());
    high = std::max(high, curve.flops.back());
  }
  // The ends are exact, so that they are within their curves.
  const double last = static_cast<double>(options.points) - 1;
  for (std::size_t i = 0; i < options.points; ++i)
    flops_.push_back(i == 0                    ? low
                     : i + 1 == options.points ? high
                                               : low * std::pow(high / low, static_cast<double>(i) / last));
  for (const auto& curve : curves) {
    parameters_.push_back(curve.parameters);
    flops_per_token_.push_back(curve.flops_per_token);
    const auto means = smoothed(curve.steps, curve.losses, options.smoothing_window);
    auto& row = losses_.emplace_back();
    for (const double flops : flops_) row.push_back(loss_at(curve, means, flops));
  }
}

EnvelopeFit Envelope::fit() const {
  std::vector<std::size_t> all(parameters_.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return fit(all);
}

EnvelopeFit Envelope::fit(std::span<const std::size_t> chosen) const {
  EnvelopeFit fit;
  std::vector<std::pair<double, double>> sizes, tokens;
  std::set<std::size_t> used;
  for (std::size_t i = 0; i < flops_.size(); ++i) {
    const auto lowest = *std::min_element(chosen.begin(), chosen.end(), [&](std::size_t one, std::size_t other) {
      return losses_[one][i] < losses_[other][i];
    });
    if (!std::isfinite(losses_[lowest][i])) continue;  // a gap between curves
    fit.points.push_back({.flops = flops_[i], .loss = losses_[lowest][i], .curve = lowest});
    used.insert(lowest);
    sizes.emplace_back(flops_[i], parameters_[lowest]);
    tokens.emplace_back(flops_[i], flops_[i] / flops_per_token_[lowest]);
  }
  fit.used.assign(used.begin(), used.end());
  fit.parameters = fit_power_line(sizes);
  fit.tokens = fit_power_line(tokens);
  return fit;
}

}  // namespace assay::scaling
