#include "scaling/multiplier.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <utility>

#include "assay/error.h"
#include "scaling/resample.h"

namespace assay::scaling {
namespace {

constexpr double kRounding = 1e-9;  // of ln compute
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// ln loss = c0 + c1 x + c2 x^2, where x is ln compute less its mean.
struct LossCurve {
  double c0 = 0, c1 = 0, c2 = 0;
  double at(double x) const { return c0 + x * (c1 + x * c2); }
  bool falls_at(double x) const { return c1 + 2 * c2 * x < 0; }
  // Where the falling branch has this value; NaN if it never has.
  double where(double value) const {
    const double c = c0 - value, root = std::sqrt(c1 * c1 - 4 * c2 * c);
    if (std::isnan(root)) return kNone;
    // The form without cancellation: on the falling branch c1 + 2 c2 x = -root.
    const double below = -c1 + root;
    return below == 0 ? kNone : 2 * c / below;
  }
};

// Least squares in polynomials that are orthogonal over x: 1, u = x - mean, and u^2 - s u - m.
LossCurve fit_curve(std::span<const double> x, std::span<const double> y) {
  const auto n = static_cast<double>(x.size());
  double x_mean = 0, y_mean = 0, squares = 0, cubes = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x_mean += x[i] / n;
    y_mean += y[i] / n;
  }
  for (const double at : x) {
    const double u = at - x_mean;
    squares += u * u;
    cubes += u * u * u;
  }
  const double s = cubes / squares, m = squares / n;
  double by_u = 0, by_v = 0, v_squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double u = x[i] - x_mean, v = u * u - s * u - m;
    by_u += u * y[i] / squares;
    by_v += v * y[i];
    v_squares += v * v;
  }
  const double c2 = by_v / v_squares, c1 = by_u - c2 * s, c0 = y_mean - c2 * m;
  return {.c0 = c0 - x_mean * (c1 - x_mean * c2), .c1 = c1 - 2 * c2 * x_mean, .c2 = c2};
}

struct Estimate {
  std::vector<double> logs;  // ln(multiplier) at each rung
  double slope = 0;
  bool is_finite() const {
    return std::isfinite(slope) && std::all_of(logs.begin(), logs.end(), [](double log) { return std::isfinite(log); });
  }
};

// At the baseline's compute on each rung.
Estimate estimate(std::span<const double> x, const LossCurve& variant, const LossCurve& baseline) {
  Estimate found;
  double products = 0, squares = 0;
  for (const double at : x) {
    const bool is_better = variant.at(at) < baseline.at(at);
    found.logs.push_back(is_better ? at - variant.where(baseline.at(at)) : baseline.where(variant.at(at)) - at);
    products += at * found.logs.back();
    squares += at * at;
  }
  found.slope = products / squares;
  return found;
}

// The logarithms of the losses as a table, and its means.
class Cells {
 public:
  explicit Cells(std::span<const Rung> rungs) : rungs_(rungs) {
    double mean = 0;
    for (const auto& rung : rungs) mean += std::log(rung.baseline_flops) / static_cast<double>(rungs.size());
    for (const auto& rung : rungs) {
      x_.push_back(std::log(rung.baseline_flops) - mean);
      x_variant_.push_back(std::log(rung.variant_flops) - mean);
    }
  }

  // ln compute less the mean of the baseline's.
  const std::vector<double>& x() const { return x_; }
  const std::vector<double>& x_variant() const { return x_variant_; }
  std::size_t rungs() const { return rungs_.size(); }
  std::size_t seeds() const {
    std::size_t most = 0;
    for (const auto& rung : rungs_) most = std::max(most, rung.variant.size());
    return most;
  }
  std::size_t seeds(std::size_t rung) const { return rungs_[rung].variant.size(); }

  // The means of ln loss over these seeds of a rung: variant, baseline.
  std::pair<double, double> means(std::size_t rung, std::span<const std::size_t> seeds) const {
    double variant = 0, baseline = 0;
    std::size_t count = 0;
    for (const auto seed : seeds) {
      if (seed >= rungs_[rung].variant.size()) continue;
      variant += std::log(rungs_[rung].variant[seed]);
      baseline += std::log(rungs_[rung].baseline[seed]);
      ++count;
    }
    return {variant / static_cast<double>(count), baseline / static_cast<double>(count)};
  }

 private:
  std::span<const Rung> rungs_;
  std::vector<double> x_, x_variant_;
};

struct Means {
  std::vector<double> variant, baseline;
};

Estimate estimate(const Cells& cells, const Means& means) {
  return estimate(cells.x(), fit_curve(cells.x_variant(), means.variant), fit_curve(cells.x(), means.baseline));
}

std::vector<std::size_t> first_numbers(std::size_t count) {
  std::vector<std::size_t> numbers(count);
  for (std::size_t i = 0; i < count; ++i) numbers[i] = i;
  return numbers;
}

// Variances of the rungs' logarithms and of the slope over resamples; resamples without a multiplier are left out.
class Variances {
 public:
  explicit Variances(std::size_t rungs) : logs_(rungs) {}
  void add(const Estimate& one) {
    if (!one.is_finite()) return;
    for (std::size_t i = 0; i < logs_.size(); ++i) logs_[i].push_back(one.logs[i]);
    slopes_.push_back(one.slope);
  }
  double of_rung(std::size_t rung) const { return variance(logs_[rung]); }
  double of_slope() const { return variance(slopes_); }

 private:
  static double variance(const std::vector<double>& values) {
    if (values.size() < 2) return 0;
    const auto n = static_cast<double>(values.size());
    double mean = 0, squares = 0;
    for (const double value : values) mean += value / n;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return squares / (n - 1);
  }
  std::vector<std::vector<double>> logs_;
  std::vector<double> slopes_;
};

// Residuals of the rungs' means, drawn with replacement and enlarged by what the parabolas have absorbed.
Variances over_rungs(const Cells& cells, const Means& means, const MultiplierOptions& options) {
  const auto n = cells.rungs();
  const auto variant = fit_curve(cells.x_variant(), means.variant), baseline = fit_curve(cells.x(), means.baseline);
  const double enlarged = std::sqrt(static_cast<double>(n) / static_cast<double>(n - 3));
  Resampler resampler(n, options.seed);
  Variances variances(n);
  for (std::size_t i = 0; i < options.resamples; ++i) {
    Means drawn;
    const auto rows = resampler.with_replacement();
    for (std::size_t rung = 0; rung < n; ++rung) {
      const auto from = rows[rung];
      drawn.variant.push_back(variant.at(cells.x_variant()[rung]) +
                              enlarged * (means.variant[from] - variant.at(cells.x_variant()[from])));
      drawn.baseline.push_back(baseline.at(cells.x()[rung]) +
                               enlarged * (means.baseline[from] - baseline.at(cells.x()[from])));
    }
    variances.add(estimate(cells, drawn));
  }
  return variances;
}

// Seeds drawn with replacement: the same for all rungs, or anew for each.
Variances over_seeds(const Cells& cells, bool is_per_rung, const MultiplierOptions& options) {
  Variances variances(cells.rungs());
  Resampler of_all(cells.seeds(), options.seed);
  std::vector<Resampler> of_rung;
  for (std::size_t rung = 0; rung < cells.rungs(); ++rung)
    of_rung.emplace_back(cells.seeds(rung), options.seed + static_cast<std::uint32_t>(rung));
  for (std::size_t i = 0; i < options.resamples; ++i) {
    Means drawn;
    const auto shared = of_all.with_replacement();
    for (std::size_t rung = 0; rung < cells.rungs(); ++rung) {
      const auto [variant, baseline] = cells.means(rung, is_per_rung ? of_rung[rung].with_replacement() : shared);
      drawn.variant.push_back(variant);
      drawn.baseline.push_back(baseline);
    }
    variances.add(estimate(cells, drawn));
  }
  return variances;
}

// The part of the seeds that the rungs' residuals do not show: an offset of a seed that all rungs share.
double total(double rungs, double seeds, double cells, std::size_t count) {
  const auto n = static_cast<double>(count);
  const double unbiased = count > 1 ? n / (n - 1) : 0;
  return rungs + std::max(0.0, unbiased * (seeds - cells));
}

void check(std::span<const Rung> rungs) {
  if (rungs.size() < kMinRungs)
    throw UserError(fmt::format("the compute multiplier has {} rungs that both groups have run; it needs at least {}",
                                rungs.size(), kMinRungs));
}

void check_falls(const std::vector<double>& x, const std::vector<double>& losses, const Estimate& found,
                 const char* group) {
  const auto curve = fit_curve(x, losses);
  if (curve.falls_at(x.front()) && curve.falls_at(x.back()) && found.is_finite()) return;
  throw UserError(
      fmt::format("the compute multiplier is not defined: the loss of the {} does not fall with its compute over "
                  "all rungs",
                  group));
}

}  // namespace

Multiplier fit_multiplier(std::span<const Rung> rungs, const MultiplierOptions& options) {
  check(rungs);
  std::vector<Rung> sorted(rungs.begin(), rungs.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Rung& one, const Rung& other) { return one.baseline_flops < other.baseline_flops; });
  const Cells cells(sorted);
  Means means;
  const auto all = first_numbers(cells.seeds());
  for (std::size_t rung = 0; rung < cells.rungs(); ++rung) {
    const auto [variant, baseline] = cells.means(rung, all);
    means.variant.push_back(variant);
    means.baseline.push_back(baseline);
  }
  const auto found = estimate(cells, means);
  check_falls(cells.x_variant(), means.variant, found, "variant");
  check_falls(cells.x(), means.baseline, found, "baseline");

  // Standard errors.
  const auto by_rungs = over_rungs(cells, means, options);
  const auto by_seeds = over_seeds(cells, false, options), by_cells = over_seeds(cells, true, options);
  Multiplier result;
  result.degrees_of_freedom = static_cast<double>(cells.rungs()) - 3;
  const boost::math::students_t student(result.degrees_of_freedom);
  const double t = boost::math::quantile(student, 0.975);
  for (std::size_t rung = 0; rung < cells.rungs(); ++rung) {
    MultiplierAt at{.flops = sorted[rung].baseline_flops, .multiplier = std::exp(found.logs[rung])};
    at.standard_error =
        std::sqrt(total(by_rungs.of_rung(rung), by_seeds.of_rung(rung), by_cells.of_rung(rung), cells.seeds()));
    at.interval = {std::exp(found.logs[rung] - t * at.standard_error),
                   std::exp(found.logs[rung] + t * at.standard_error)};
    const double cheaper = cells.x()[rung] - std::fabs(found.logs[rung]);
    at.is_extrapolated = cheaper < (found.logs[rung] > 0 ? cells.x_variant() : cells.x()).front() - kRounding;
    result.rungs.push_back(at);
  }
  result.slope = found.slope;
  result.slope_error = std::sqrt(total(by_rungs.of_slope(), by_seeds.of_slope(), by_cells.of_slope(), cells.seeds()));
  result.slope_interval = {found.slope - t * result.slope_error, found.slope + t * result.slope_error};
  return result;
}

}  // namespace assay::scaling
