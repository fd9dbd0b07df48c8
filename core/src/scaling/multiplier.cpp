#include "scaling/multiplier.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <utility>

#include "assay/error.h"
#include "compare/statistics/statistics.h"
#include "scaling/parabola.h"
#include "scaling/resample.h"

namespace assay::scaling {
namespace {

constexpr double kRounding = 1e-9;  // of ln compute
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Where the falling branch of ln loss over ln compute has this value; NaN if it never has.
double where(const Parabola& curve, double value) {
  const double c = curve.c0 - value, root = std::sqrt(curve.c1 * curve.c1 - 4 * curve.c2 * c);
  if (std::isnan(root)) return kNone;
  // The form without cancellation: on the falling branch c1 + 2 c2 x = -root.
  const double below = -curve.c1 + root;
  return below == 0 ? kNone : 2 * c / below;
}

struct Estimate {
  std::vector<double> logs;  // ln(multiplier) at each rung
  double slope = 0;
  bool is_finite() const {
    return std::isfinite(slope) && std::all_of(logs.begin(), logs.end(), [](double log) { return std::isfinite(log); });
  }
};

// At the baseline's compute on each rung.
Estimate estimate(std::span<const double> x, const Parabola& variant, const Parabola& baseline) {
  Estimate found;
  double products = 0, squares = 0;
  for (const double at : x) {
    const bool is_better = variant.at(at) < baseline.at(at);
    found.logs.push_back(is_better ? at - where(variant, baseline.at(at)) : where(baseline, variant.at(at)) - at);
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
      for (const auto seed : rung.seeds)
        if (std::find(seeds_.begin(), seeds_.end(), seed) == seeds_.end()) seeds_.push_back(seed);
    }
  }

  // ln compute less the mean of the baseline's.
  const std::vector<double>& x() const { return x_; }
  const std::vector<double>& x_variant() const { return x_variant_; }
  std::size_t rungs() const { return rungs_.size(); }
  // All seeds of any rung.
  const std::vector<std::int64_t>& seeds() const { return seeds_; }

  // The means of ln loss over these seeds of a rung: variant, baseline. NaN if the rung has none of them.
  std::pair<double, double> means(std::size_t rung, std::span<const std::int64_t> seeds) const {
    double variant = 0, baseline = 0, count = 0;
    for (const auto seed : seeds) {
      const auto found = std::find(rungs_[rung].seeds.begin(), rungs_[rung].seeds.end(), seed);
      if (found == rungs_[rung].seeds.end()) continue;
      const auto place = static_cast<std::size_t>(found - rungs_[rung].seeds.begin());
      variant += std::log(rungs_[rung].variant[place]);
      baseline += std::log(rungs_[rung].baseline[place]);
      ++count;
    }
    return {variant / count, baseline / count};
  }

 private:
  std::span<const Rung> rungs_;
  std::vector<double> x_, x_variant_;
  std::vector<std::int64_t> seeds_;
};

struct Means {
  std::vector<double> variant, baseline;
};

Estimate estimate(const Cells& cells, const Means& means) {
  return estimate(cells.x(), fit_parabola(cells.x_variant(), means.variant), fit_parabola(cells.x(), means.baseline));
}

std::vector<std::int64_t> drawn_from(const std::vector<std::int64_t>& seeds, Resampler& resampler) {
  std::vector<std::int64_t> drawn;
  for (const auto place : resampler.with_replacement()) drawn.push_back(seeds[place]);
  return drawn;
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
    const double deviation = compare::summarise(values).deviation.value_or(0);
    return deviation * deviation;
  }
  std::vector<std::vector<double>> logs_;
  std::vector<double> slopes_;
};

// Residuals of the rungs' means, drawn with replacement and enlarged by what the parabolas have absorbed.
Variances over_rungs(const Cells& cells, const Means& means, const MultiplierOptions& options) {
  const auto n = cells.rungs();
  const auto variant = fit_parabola(cells.x_variant(), means.variant),
             baseline = fit_parabola(cells.x(), means.baseline);
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

// Seeds drawn with replacement, the same for all rungs.
Variances over_seeds(const Cells& cells, const MultiplierOptions& options) {
  Variances variances(cells.rungs());
  Resampler resampler(cells.seeds().size(), options.seed);
  for (std::size_t i = 0; i < options.resamples; ++i) {
    Means drawn;
    const auto seeds = drawn_from(cells.seeds(), resampler);
    for (std::size_t rung = 0; rung < cells.rungs(); ++rung) {
      const auto [variant, baseline] = cells.means(rung, seeds);
      drawn.variant.push_back(variant);
      drawn.baseline.push_back(baseline);
    }
    variances.add(estimate(cells, drawn));
  }
  return variances;
}

// A standard error with its degrees of freedom.
struct Error {
  double standard_error = 0, degrees_of_freedom = 1;
  double half_width() const {
    return standard_error * boost::math::quantile(boost::math::students_t(degrees_of_freedom), 0.975);
  }
};

// The wider of the two: residuals of rungs do not show an offset of a seed that all rungs share, and seeds do not show
// what all runs of a group have in one rung.
Error wider(double rung_variance, double seed_variance, std::size_t rungs, std::size_t seeds) {
  const Error by_rungs{std::sqrt(rung_variance), static_cast<double>(rungs) - 3};
  if (seeds < 2) return by_rungs;
  const auto n = static_cast<double>(seeds);
  const Error by_seeds{std::sqrt(seed_variance * n / (n - 1)), n - 1};
  return by_rungs.half_width() > by_seeds.half_width() ? by_rungs : by_seeds;
}

compare::Interval interval_of(double value, const Error& error) {
  return {value - error.half_width(), value + error.half_width()};
}

void check(std::span<const Rung> rungs) {
  if (rungs.size() < kMinRungs)
    throw UserError(fmt::format("the compute multiplier has {} rungs that both groups have run; it needs at least {}",
                                rungs.size(), kMinRungs));
}

void check_falls(const std::vector<double>& x, const std::vector<double>& losses, const Estimate& found,
                 const char* group) {
  const auto curve = fit_parabola(x, losses);
  if (curve.slope_at(x.front()) < 0 && curve.slope_at(x.back()) < 0 && found.is_finite()) return;
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
  for (std::size_t rung = 0; rung < cells.rungs(); ++rung) {
    const auto [variant, baseline] = cells.means(rung, cells.seeds());
    means.variant.push_back(variant);
    means.baseline.push_back(baseline);
  }
  const auto found = estimate(cells, means);
  check_falls(cells.x_variant(), means.variant, found, "variant");
  check_falls(cells.x(), means.baseline, found, "baseline");

  // Standard errors.
  const auto by_rungs = over_rungs(cells, means, options);
  const auto by_seeds = over_seeds(cells, options);
  Multiplier result;
  const auto error_of = [&](double rung_variance, double seed_variance) {
    return wider(rung_variance, seed_variance, cells.rungs(), cells.seeds().size());
  };
  for (std::size_t rung = 0; rung < cells.rungs(); ++rung) {
    const auto error = error_of(by_rungs.of_rung(rung), by_seeds.of_rung(rung));
    const auto interval = interval_of(found.logs[rung], error);
    const bool is_better = found.logs[rung] > 0;
    const auto &costlier = is_better ? cells.x() : cells.x_variant(),
               &cheaper = is_better ? cells.x_variant() : cells.x();
    const double at = cells.x()[rung], below = at - std::fabs(found.logs[rung]);
    result.rungs.push_back({.flops = sorted[rung].baseline_flops,
                            .multiplier = std::exp(found.logs[rung]),
                            .interval = {std::exp(interval.low), std::exp(interval.high)},
                            .standard_error = error.standard_error,
                            .degrees_of_freedom = error.degrees_of_freedom,
                            .is_extrapolated = below < cheaper.front() - kRounding ||
                                               at < costlier.front() - kRounding || at > costlier.back() + kRounding});
  }
  const auto error = error_of(by_rungs.of_slope(), by_seeds.of_slope());
  result.slope = found.slope;
  result.slope_error = error.standard_error;
  result.slope_degrees_of_freedom = error.degrees_of_freedom;
  result.slope_interval = interval_of(found.slope, error);
  return result;
}

}  // namespace assay::scaling
