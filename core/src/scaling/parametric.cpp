#include "scaling/parametric.h"

#include <fmt/format.h>
#include <nlopt.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <set>

#include "assay/error.h"
#include "scaling/parallel.h"
#include "scaling/points.h"
#include "scaling/resample.h"

namespace assay::scaling {
namespace {

constexpr double kEqualObjective = 1e-6;  // relative
constexpr double kNoObjective = 1e-9;     // of huber_over_delta: what rounding leaves of a perfect fit
constexpr int kMaxEvaluations = 3000;     // of one descent; most take fewer than 200

// Deltas of the descents for least absolute deviations, one after the other from a start of Huber's loss: the objective
// has a kink at every row, in which a descent from afar is caught.
constexpr double kLadDeltas[] = {1e-4, 1e-5, 1e-6, 1e-8, 1e-10};
constexpr std::size_t kFinished = 50;  // ends of Huber's loss from which they begin

struct Descent {
  LogLaw law{};
  double value = std::numeric_limits<double>::infinity();  // of huber_over_delta
};

struct Problem {
  const LogPoints* points;
  double delta;
};

double evaluate(unsigned, const double* law, double* gradient, void* problem) {
  const auto& [points, delta] = *static_cast<const Problem*>(problem);
  LogLaw at;
  std::copy_n(law, at.size(), at.begin());
  return huber_over_delta(*points, at, delta, gradient);
}

// Without constraints, SLSQP is a BFGS method with dense matrices (Kraft 1988).
Descent descend(const LogPoints& points, const LogLaw& start, double delta, double tolerance) {
  Descent end{.law = start};
  const std::unique_ptr<nlopt_opt_s, decltype(&nlopt_destroy)> method(
      nlopt_create(NLOPT_LD_SLSQP, static_cast<unsigned>(start.size())), nlopt_destroy);
  Problem problem{&points, delta};
  if (!method || nlopt_set_min_objective(method.get(), evaluate, &problem) < 0 ||
      nlopt_set_ftol_rel(method.get(), tolerance) < 0 || nlopt_set_maxeval(method.get(), kMaxEvaluations) < 0)
    throw Bug("the optimiser of scaling laws cannot be set up");
  double value = 0;
  nlopt_optimize(method.get(), end.law.data(), &value);
  // A descent that ends early has still found its best point.
  end.value = huber_over_delta(points, end.law, delta, nullptr);
  if (!std::isfinite(end.value)) end.value = std::numeric_limits<double>::infinity();
  return end;
}

// From an end of Huber's loss to the end of the loss that is asked for.
Descent finish(const LogPoints& points, Descent end, const ParametricOptions& options) {
  if (options.loss == RobustLoss::kHuber) return end;
  for (const double delta : kLadDeltas) end = descend(points, end.law, delta, options.tolerance);
  return end;
}

Descent descend(const LogPoints& points, const LogLaw& start, const ParametricOptions& options) {
  return finish(points, descend(points, start, options.delta, options.tolerance), options);
}

bool are_equal(double one, double other) {
  return std::fabs(one - other) <= std::min(one, other) * kEqualObjective + kNoObjective;
}

// The places in `ends` that are worth finishing: the lowest, each objective once.
std::vector<std::size_t> lowest_ends(const std::vector<Descent>& ends) {
  std::vector<std::size_t> order(ends.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t one, std::size_t other) { return ends[one].value < ends[other].value; });
  std::vector<std::size_t> lowest;
  for (const auto i : order)
    if (lowest.size() < kFinished && (lowest.empty() || !are_equal(ends[lowest.back()].value, ends[i].value)))
      lowest.push_back(i);
  return lowest;
}

std::vector<LogLaw> starts_of(const StartGrid& grid) {
  std::vector<LogLaw> starts;
  for (const double alpha : grid.alpha)
    for (const double beta : grid.beta)
      for (const double e : grid.e)
        for (const double a : grid.a)
          for (const double b : grid.b) starts.push_back({a, b, e, alpha, beta});
  return starts;
}

bool is_at_edge(const LogLaw& start, const StartGrid& grid) {
  const std::vector<double>* values[] = {&grid.a, &grid.b, &grid.e, &grid.alpha, &grid.beta};
  for (std::size_t i = 0; i < start.size(); ++i) {
    const auto [low, high] = std::minmax_element(values[i]->begin(), values[i]->end());
    if (start[i] == *low || start[i] == *high) return true;
  }
  return false;
}

// Splits rows by the k-th highest loss.
void keep_rows(std::span<const Point> points, std::size_t exclude_highest, ParametricFit& fit) {
  if (exclude_highest > points.size())
    throw UserError(fmt::format("exclude_highest = {} is more than the {} rows", exclude_highest, points.size()));
  std::vector<double> losses;
  for (const auto& point : points) losses.push_back(point.loss);
  std::sort(losses.rbegin(), losses.rend());
  const double limit = exclude_highest == 0 ? std::numeric_limits<double>::infinity() : losses[exclude_highest - 1];
  for (std::size_t i = 0; i < points.size(); ++i) (points[i].loss < limit ? fit.kept : fit.excluded).push_back(i);
}

std::vector<Point> rows_of(std::span<const Point> points, const std::vector<std::size_t>& indices) {
  std::vector<Point> rows;
  for (const auto i : indices) rows.push_back(points[i]);
  return rows;
}

void check_rows(const std::vector<Point>& rows) {
  std::vector<std::size_t> all(rows.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (rows.size() < LogLaw().size())
    throw UserError(fmt::format("the parametric fit has {} rows; it has 5 parameters and needs at least 5 rows ({})",
                                rows.size(), names_of(rows, all)));
  std::set<double> sizes, tokens;
  for (const auto& row : rows) {
    sizes.insert(row.parameters);
    tokens.insert(row.tokens);
  }
  for (const auto& [values, name] : {std::pair(&sizes, "N"), std::pair(&tokens, "D")})
    if (values->size() < 2)
      throw UserError(
          fmt::format("the parametric fit has rows of one {} alone ({:.6g}); its exponent cannot be fitted; "
                      "add runs of another {} ({})",
                      name, *values->begin(), name, names_of(rows, all)));
}

}  // namespace

ParametricFit fit_parametric(std::span<const Point> points, const ParametricOptions& options) {
  ParametricFit fit;
  keep_rows(points, options.exclude_highest, fit);
  const auto rows = rows_of(points, fit.kept);
  check_rows(rows);
  const LogPoints columns(rows);

  // One descent from every start, and the better ones again where the loss is not Huber's.
  const auto starts = starts_of(options.grid);
  if (starts.empty()) throw UserError("the grid of starts is empty; give each of alpha, beta, e, a and b a value");
  std::vector<Descent> ends(starts.size());
  for_each_index(starts.size(), options.threads,
                 [&](std::size_t i) { ends[i] = descend(columns, starts[i], options.delta, options.tolerance); });
  const auto lowest = lowest_ends(ends);
  std::vector<Descent> finished(lowest.size());
  for_each_index(lowest.size(), options.threads,
                 [&](std::size_t i) { finished[i] = finish(columns, ends[lowest[i]], options); });
  const auto best = std::min_element(finished.begin(), finished.end(),
                                     [](const Descent& one, const Descent& other) { return one.value < other.value; });
  const auto best_end = lowest[static_cast<std::size_t>(best - finished.begin())];

  // How the best was found.
  fit.starts = starts.size();
  fit.start_at_edge = true;
  fit.best_start = starts[best_end];
  std::vector<double> reach_best;  // Huber's objective at the ends from which the best is reached
  for (std::size_t i = 0; i < lowest.size(); ++i)
    if (are_equal(finished[i].value, best->value)) reach_best.push_back(ends[lowest[i]].value);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (std::none_of(reach_best.begin(), reach_best.end(),
                     [&](double value) { return are_equal(ends[i].value, value); }))
      continue;
    ++fit.at_best;
    if (!fit.start_at_edge || is_at_edge(starts[i], options.grid)) continue;
    fit.start_at_edge = false;
    fit.best_start = starts[i];
  }

  fit.law = power_law_of(best->law);
  for (const auto& row : rows)
    fit.residuals.push_back(std::log(loss(fit.law, row.parameters, row.tokens)) - std::log(row.loss));
  if (options.loss == RobustLoss::kHuber)
    fit.objective = best->value * options.delta;
  else
    for (const double residual : fit.residuals) fit.objective += std::fabs(residual);
  return fit;
}

std::vector<PowerLaw> bootstrap_parametric(std::span<const Point> points, const ParametricFit& fit,
                                           const ParametricOptions& options, const BootstrapOptions& bootstrap) {
  const auto rows = rows_of(points, fit.kept);
  const auto samples = resamples_of(rows.size(), bootstrap, LogLaw().size());
  const auto start = log_law_of(fit.law);
  std::vector<std::optional<PowerLaw>> found(samples.size());
  for_each_index(samples.size(), options.threads, [&](std::size_t i) {
    // A row that a resample holds several times is computed once.
    std::vector<double> counts(rows.size(), 0);
    for (const auto row : samples[i]) ++counts[row];
    std::vector<Point> drawn;
    std::vector<double> weights;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      if (counts[row] == 0) continue;
      drawn.push_back(rows[row]);
      weights.push_back(counts[row]);
    }
    if (drawn.size() < start.size()) return;
    LogPoints columns(drawn);
    columns.weights = std::move(weights);
    const auto from_fit = descend(columns, start, options), from_paper = descend(columns, kPaperLaw, options);
    const auto law = power_law_of((from_paper.value < from_fit.value ? from_paper : from_fit).law);
    if (has_frontier(law)) found[i] = law;
  });
  std::vector<PowerLaw> laws;
  for (const auto& law : found)
    if (law) laws.push_back(*law);
  return laws;
}

}  // namespace assay::scaling
