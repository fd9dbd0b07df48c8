#include "scaling/fit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "assay/error.h"
#include "base/text.h"
#include "compare/statistics/statistics.h"
#include "scaling/points.h"
#include "scaling/rungs.h"

namespace assay::scaling {
namespace {

constexpr double kOfParameters = 0.95, kOfExponents = 0.8;  // confidence of intervals, as in the papers
constexpr std::size_t kRowsOfTwoParabolas = 6;

// Lines of one group and one approach of the report.
class Lines {
 public:
  Lines(Report& report, const std::string& group, const std::string& approach)
      : report_(report), group_(group), approach_(approach) {}

  Quantity& add(const std::string& name, double value) {
    return report_.quantities.emplace_back(
        Quantity{.group = group_, .approach = approach_, .name = name, .value = value});
  }
  // With the deviation and the interval of the values of resamples, if there are any.
  Quantity& add(const std::string& name, double value, std::vector<double> resampled, double confidence) {
    auto& quantity = add(name, value);
    if (resampled.size() < 2) return quantity;
    if (const auto deviation = compare::summarise(resampled).deviation; deviation && std::isfinite(*deviation))
      quantity.deviation = deviation;
    std::optional<compare::Interval> interval;
    if (std::none_of(resampled.begin(), resampled.end(), [](double x) { return std::isnan(x); }))
      interval = compare::percentile_interval(std::move(resampled), 0.5 - confidence / 2, 0.5 + confidence / 2);
    if (!interval || !std::isfinite(interval->low) || !std::isfinite(interval->high)) {
      note(fmt::format("warning: {} has no interval, because resamples give no finite value", name));
      return quantity;
    }
    quantity.interval = interval;
    quantity.confidence = confidence;
    return quantity;
  }
  void note(const std::string& text) {
    report_.notes.push_back(fmt::format("{}{}: {}", approach_, group_.empty() ? "" : " of " + group_, text));
  }

 private:
  Report& report_;
  const std::string &group_, approach_;
};

template <class Fit>
std::vector<double> each(const std::vector<Fit>& fits, const std::function<double(const Fit&)>& of) {
  std::vector<double> values;
  for (const auto& fit : fits) values.push_back(of(fit));
  return values;
}

std::string at_budget(const char* what, double flops) { return fmt::format("{} at C={:.4g}", what, flops); }

// Optima outside of the range in which runs were measured are marked.
std::string range_note(const std::vector<Point>& points, const Optimum& optimum) {
  const auto outside = outside_of(points, optimum);
  return outside.empty() ? "" : "extrapolated: the runs have " + outside;
}

// Whether C = 6ND, to within the rounding of tables.
bool are_six_nd(const std::vector<Point>& points) {
  return std::all_of(points.begin(), points.end(), [](const Point& point) {
    return std::fabs(point.flops / (6 * point.parameters * point.tokens) - 1) < 1e-3;
  });
}

std::vector<Point> with_flops_of_six_nd(std::vector<Point> points) {
  for (auto& point : points) point.flops = 6 * point.parameters * point.tokens;
  return points;
}

std::string bootstrap_text(const BootstrapOptions& options) {
  return options.subset_fraction < 1
             ? fmt::format("{} subsets of {:g} of the rows, seed {}", options.resamples, options.subset_fraction,
                           options.seed)
             : fmt::format("{} resamples with replacement, seed {}", options.resamples, options.seed);
}

// How intervals were made, and how many resamples could not be fitted.
void note_intervals(std::size_t fitted, const FitOptions& options, Lines& lines) {
  if (options.bootstrap.resamples == 0) return;
  const auto failed = options.bootstrap.resamples - fitted;
  lines.note("intervals: " + bootstrap_text(options.bootstrap) +
             (failed == 0 ? "" : fmt::format("; {} of them give no law and are left out", failed)));
}

void note_parametric(const ParametricFit& fit, const GroupFit& group, const FitOptions& options, Lines& lines) {
  const auto& points = group.runs.points;
  const bool lad = options.fit.loss == RobustLoss::kLad;
  lines.note(lad ? fmt::format("least absolute deviations of ln loss over {}; the objective is their sum",
                               base::plural(static_cast<std::int64_t>(fit.kept.size()), "row"))
                 : fmt::format("Huber loss of ln loss with delta {:g} over {}; the objective is its sum",
                               options.fit.delta, base::plural(static_cast<std::int64_t>(fit.kept.size()), "row")));
  if (!fit.excluded.empty()) lines.note("excluded by exclude_highest: " + names_of(points, fit.excluded));
  const auto& start = fit.best_start;
  lines.note(fmt::format(
      "{} of {} starts reach this objective, one of them a={:g} b={:g} e={:g} alpha={:g} beta={:g}; {}", fit.at_best,
      base::grouped(static_cast<std::int64_t>(fit.starts)), start[0], start[1], start[2], start[3], start[4],
      fit.start_at_edge ? "warning: all of them are at the edge of the grid; widen it"
                        : "it is not at the edge of the grid"));
  if (fit.kept.size() == LogLaw().size())
    lines.note("warning: there are as many rows as parameters, so the residuals say nothing");
  const auto at = log_law_of(fit.law);
  for (const auto& [name, value, values] :
       {std::tuple("a", at[0], &options.fit.grid.a), std::tuple("b", at[1], &options.fit.grid.b),
        std::tuple("e", at[2], &options.fit.grid.e), std::tuple("alpha", at[3], &options.fit.grid.alpha),
        std::tuple("beta", at[4], &options.fit.grid.beta)}) {
    const auto [low, high] = std::minmax_element(values->begin(), values->end());
    if (*low < *high && (value <= *low || value >= *high))
      lines.note(
          fmt::format("warning: {} = {:.6g} is not inside the grid of starts, {:g} to {:g}; the data may not "
                      "determine it",
                      name, value, *low, *high));
  }
}

void add_parametric(GroupFit& group, const FitOptions& options, Report& report) {
  const auto& points = group.runs.points;
  auto fit = fit_parametric(points, options.fit);
  std::vector<PowerLaw> laws;
  if (options.bootstrap.resamples > 0) laws = bootstrap_parametric(points, fit, options.fit, options.bootstrap);
  Lines lines(report, group.runs.name, "parametric");
  const auto add = [&](const std::string& name, double confidence,
                       const std::function<double(const PowerLaw&)>& of) -> Quantity& {
    return lines.add(name, of(fit.law), each(laws, of), confidence);
  };
  add("A", kOfParameters, [](const PowerLaw& law) { return law.A; });
  add("B", kOfParameters, [](const PowerLaw& law) { return law.B; });
  add("E", kOfParameters, [](const PowerLaw& law) { return law.E; });
  add("alpha", kOfParameters, [](const PowerLaw& law) { return law.alpha; });
  add("beta", kOfParameters, [](const PowerLaw& law) { return law.beta; });
  lines.add("objective", fit.objective);
  if (has_frontier(fit.law)) {
    add("a", kOfExponents, [](const PowerLaw& law) { return frontier_of(law).a; });
    add("b", kOfExponents, [](const PowerLaw& law) { return frontier_of(law).b; });
    const auto under_six_nd = with_flops_of_six_nd(points);
    for (const double flops : options.budgets) {
      const auto optimum_of = [&](const PowerLaw& law) { return optimum(frontier_of(law), flops); };
      const auto note = range_note(under_six_nd, optimum_of(fit.law));
      const auto add_at = [&](const char* what, const std::function<double(const PowerLaw&)>& of) {
        add(at_budget(what, flops), kOfParameters, of).note = note;
      };
      add_at("N_opt", [&](const PowerLaw& law) { return optimum_of(law).parameters; });
      add_at("D_opt", [&](const PowerLaw& law) { return optimum_of(law).tokens; });
      add_at("D_opt/N_opt", [&](const PowerLaw& law) { return optimum_of(law).tokens_per_parameter(); });
      add_at("loss", [&](const PowerLaw& law) {
        const auto best = optimum_of(law);
        return loss(law, best.parameters, best.tokens);
      });
    }
    if (!are_six_nd(points))
      lines.note(
          "its optima are under C = 6ND; the runs' C, which the other approaches and multipliers take, is not 6ND");
  } else {
    lines.note("warning: alpha and beta are not both above 0, so there is no compute-optimal frontier");
  }
  note_parametric(fit, group, options, lines);
  note_intervals(laws.size(), options, lines);
  group.parametric = std::move(fit);
}

// What both line fits say: exponents, and the optimum at each budget.
template <class Fit>
void add_lines(const Fit& fit, const std::vector<Fit>& resampled, const GroupFit& group, const FitOptions& options,
               Lines& lines) {
  const auto add = [&](const std::string& name, double confidence,
                       const std::function<double(const Fit&)>& of) -> Quantity& {
    return lines.add(name, of(fit), each(resampled, of), confidence);
  };
  add("a", kOfExponents, [](const Fit& one) { return one.parameters.exponent; });
  add("b", kOfExponents, [](const Fit& one) { return one.tokens.exponent; });
  for (const double flops : options.budgets) {
    const auto note = range_note(group.runs.points, {flops, fit.parameters.at(flops), fit.tokens.at(flops)});
    add(at_budget("N_opt", flops), kOfParameters, [&](const Fit& one) { return one.parameters.at(flops); }).note = note;
    add(at_budget("D_opt", flops), kOfParameters, [&](const Fit& one) { return one.tokens.at(flops); }).note = note;
    add(at_budget("D_opt/N_opt", flops), kOfParameters, [&](const Fit& one) {
      return std::exp(one.tokens.log_at(flops) - one.parameters.log_at(flops));
    }).note = note;
  }
  note_intervals(resampled.size(), options, lines);
}

void add_isoflop(GroupFit& group, const FitOptions& options, Report& report) {
  const auto& points = group.runs.points;
  Lines lines(report, group.runs.name, "isoflop");
  const auto fit = fit_isoflop(points, options.profiles);
  for (const auto& profile : fit.profiles) {
    if (!profile.rejected.empty()) {
      lines.note(fmt::format("warning: the budget C={:.4g} is left out: {} ({})", profile.flops, profile.rejected,
                             names_of(points, profile.rows)));
      continue;
    }
    lines.add(at_budget("vertex N", profile.flops), profile.parameters).note =
        profile.is_outside ? "extrapolated: the vertex is outside of its runs" : "";
    lines.add(at_budget("vertex loss", profile.flops), profile.lowest);
    if (!profile.is_outside) continue;
    lines.note(fmt::format("warning: the vertex at C={:.4g} is outside of its runs, N from {:.4g} to {:.4g} ({})",
                           profile.flops, points[profile.rows.front()].parameters,
                           points[profile.rows.back()].parameters, names_of(points, profile.rows)));
  }
  if (!fit.unused.empty())
    lines.note(fmt::format("left out, because no budget is within {:g}: {}", options.profiles.window,
                           names_of(points, fit.unused)));
  if (fit.vertices < 2)
    throw UserError(
        fmt::format("isoflop: {} of {} budgets have a parabola; lines need two", fit.vertices, fit.profiles.size()));
  std::vector<IsoflopFit> resampled;
  for (const auto& sample : resamples_of(points.size(), options.bootstrap, kRowsOfTwoParabolas))
    if (auto one = refit(points, fit, sample); one.vertices >= 2) resampled.push_back(std::move(one));
  add_lines(fit, resampled, group, options, lines);
  group.isoflop = fit;
}

void add_envelope(GroupFit& group, const FitOptions& options, Report& report) {
  const auto& curves = group.runs.curves;
  Lines lines(report, group.runs.name, "envelope");
  const Envelope envelope(curves, options.curves);
  const auto fit = envelope.fit();
  const auto has_line = [&](const EnvelopeFit& one) {
    return std::any_of(one.used.begin(), one.used.end(),
                       [&](std::size_t curve) { return curves[curve].parameters != curves[one.used[0]].parameters; });
  };
  if (!has_line(fit))
    throw UserError(
        fmt::format("envelope: runs of one size (N = {:.6g}) are the lowest at every budget; add runs of "
                    "other sizes",
                    curves[fit.used[0]].parameters));
  const auto [smallest, largest] =
      std::minmax_element(curves.begin(), curves.end(),
                          [](const Curve& one, const Curve& other) { return one.parameters < other.parameters; });
  lines.note(fmt::format("{} of {} curves are the lowest somewhere, at {} budgets; smoothed over {:g} steps",
                         fit.used.size(), curves.size(), fit.points.size(), options.curves.smoothing_window));
  if (curves[fit.points.back().curve].parameters == largest->parameters)
    lines.note(
        fmt::format("warning: at the largest budgets the largest model ({}) is the lowest; its optimum may be larger",
                    largest->name));
  if (curves[fit.points.front().curve].parameters == smallest->parameters)
    lines.note(
        fmt::format("warning: at the smallest budgets the smallest model ({}) is the lowest; its optimum may be "
                    "smaller",
                    smallest->name));
  std::vector<EnvelopeFit> resampled;
  for (const auto& sample : resamples_of(curves.size(), options.bootstrap, 2))
    if (auto one = envelope.fit(sample); has_line(one)) resampled.push_back(std::move(one));
  add_lines(fit, resampled, group, options, lines);
  group.envelope = fit;
}

void add_multiplier(const RunGroup& variant, const RunGroup& baseline, const FitOptions& options, Fits& fits) {
  Lines lines(fits.report, variant.name, "multiplier");
  try {
    std::vector<std::string> left_out;
    const auto rungs = rungs_of(variant.points, baseline.points, options.profiles, &left_out);
    for (const auto& text : left_out) lines.note("left out: " + text);
    const auto found = fit_multiplier(rungs, {.resamples = kMultiplierResamples, .seed = options.bootstrap.seed});
    for (const auto& rung : found.rungs) {
      auto& quantity = lines.add(at_budget("multiplier", rung.flops), rung.multiplier);
      quantity.interval = rung.interval;
      quantity.confidence = kOfParameters;
      if (rung.is_extrapolated) quantity.note = "extrapolated: a group is taken outside of its budgets";
    }
    auto& slope = lines.add("slope of ln multiplier over ln C", found.slope);
    slope.deviation = found.slope_error;
    slope.interval = found.slope_interval;
    slope.confidence = kOfParameters;
    lines.note(fmt::format(
        "how many times the compute of {} the baseline {} needs for the same loss, where the costlier of the "
        "two takes C; {} budgets; {} resamples of rungs and of seeds, seed {}",
        variant.name, baseline.name, found.rungs.size(), kMultiplierResamples, options.bootstrap.seed));
    fits.multipliers.push_back({variant.name, baseline.name, found});
  } catch (const UserError& error) {
    lines.note(std::string("none: ") + error.what());
  }
}

}  // namespace

Fits fit_groups(std::vector<RunGroup> groups, const FitOptions& options, const std::string& title,
                const std::vector<std::string>& notes) {
  Fits fits;
  fits.report.title = title;
  std::vector<std::string> errors;
  std::size_t fitted = 0;
  for (auto& runs : groups) {
    auto& group = fits.groups.emplace_back(GroupFit{.runs = std::move(runs)});
    // An approach that cannot be fitted is reported, and the others go on.
    const auto attempt = [&](bool is_wanted, const auto& add) {
      if (!is_wanted) return;
      try {
        add(group, options, fits.report);
        ++fitted;
      } catch (const UserError& error) {
        errors.push_back((group.runs.name.empty() ? "" : group.runs.name + ": ") + error.what());
      }
    };
    attempt(options.parametric, add_parametric);
    attempt(options.isoflop, add_isoflop);
    attempt(options.envelope, add_envelope);
  }
  if (fitted == 0 && !errors.empty()) {
    errors.insert(errors.end(), fits.report.notes.begin(), fits.report.notes.end());
    errors.insert(errors.end(), notes.begin(), notes.end());
    throw UserError(fmt::format("{}", fmt::join(errors, "\n")));
  }
  for (const auto& error : errors) fits.report.notes.push_back("warning: not fitted: " + error);
  if (options.baseline)
    for (std::size_t i = 0; i < fits.groups.size(); ++i)
      if (i != *options.baseline)
        add_multiplier(fits.groups[i].runs, fits.groups[*options.baseline].runs, options, fits);
  fits.report.notes.insert(fits.report.notes.end(), notes.begin(), notes.end());
  return fits;
}

}  // namespace assay::scaling
