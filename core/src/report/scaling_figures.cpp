#include "report/scaling_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/printable.h"
#include "compare/formats/csv.h"
#include "report/draw.h"
#include "report/gnuplot.h"
#include "scaling/points.h"

namespace assay::report {
namespace {

constexpr int kCurvePoints = 61;  // of a drawn law

struct ScatterPoint {
  double x = 0, y = 0;
  std::optional<compare::Interval> interval{};  // of y
};

struct ScatterSeries {
  enum class Style { kPoints, kLine, kIntervals } style = Style::kPoints;
  std::string label;
  std::size_t colour = 0;
  std::vector<ScatterPoint> points{};
};

// A figure of points and lines; x is logarithmic.
struct Scatter {
  std::string name, title, x, y;
  std::vector<ScatterSeries> series{};
};

std::vector<double> log_spaced(double low, double high) {
  std::vector<double> values;
  for (int i = 0; i < kCurvePoints; ++i) values.push_back(low * std::pow(high / low, i / (kCurvePoints - 1.0)));
  return values;
}

std::string csv_of(const Scatter& figure, const scaling::Report& report) {
  std::vector<std::string> header{"series", figure.x, figure.y, "low", "high"};
  const auto constant = compare::constant_columns(report.title, report.provenance);
  for (const auto& [name, value] : constant) header.push_back(name);
  auto text = compare::csv_line(header);
  for (const auto& series : figure.series)
    for (const auto& [x, y, interval] : series.points) {
      std::vector<std::string> fields{series.label, fmt::format("{}", x), fmt::format("{}", y),
                                      interval ? fmt::format("{}", interval->low) : "",
                                      interval ? fmt::format("{}", interval->high) : ""};
      for (const auto& [name, value] : constant) fields.push_back(base::printable(value));
      text += compare::csv_line(fields);
    }
  return text;
}

const char* drawn_as(ScatterSeries::Style style) {
  switch (style) {
    case ScatterSeries::Style::kLine:
      return " with lines";
    case ScatterSeries::Style::kIntervals:
      return ":4:5 with yerrorbars";
    default:
      return " with points";
  }
}

std::string script_of(const Scatter& figure, const scaling::Report& report) {
  auto script = gnuplot_comment(
      fmt::format("Draws {0}.svg and {0}.pdf from {0}.csv, all in this folder; run: gnuplot {0}.gp", figure.name));
  for (const auto& [name, value] : report.provenance) script += gnuplot_comment(name + ": " + value);
  script += fmt::format(
      "set datafile separator comma\nset title {}\nset xlabel {}\nset ylabel {}\nset key outside right top\n"
      "set border 3\nset tics nomirror\nset grid ytics\nset logscale x\nset format x '%.0e'\n{}",
      gnuplot_string(figure.title), gnuplot_string(figure.x), gnuplot_string(figure.y), gnuplot_linetypes());
  std::vector<std::string> plots;
  std::size_t first = 0;
  for (const auto& series : figure.series) {
    if (!series.points.empty())
      plots.push_back(fmt::format("'{}.csv' skip 1 every ::{}::{} using 2:3{} linetype {} title {}", figure.name, first,
                                  first + series.points.size() - 1, drawn_as(series.style),
                                  series.colour % kGnuplotColours + 1, gnuplot_string(series.label)));
    first += series.points.size();
  }
  return script + gnuplot_outputs(figure.name, plots);
}

std::string labelled(const scaling::GroupFit& group, const std::string& what) {
  return group.runs.name.empty() ? what : group.runs.name + ": " + what;
}

// Loss against FLOPs: the runs, and where the law's frontier passes.
Scatter loss_figure(const scaling::Fits& fits) {
  Scatter figure{.name = "loss-by-flops",
                 .title = fits.report.title + ": final loss and the compute-optimal frontier",
                 .x = "training FLOPs",
                 .y = "loss, nats per token"};
  for (std::size_t i = 0; i < fits.groups.size(); ++i) {
    const auto& group = fits.groups[i];
    ScatterSeries runs{.label = labelled(group, "runs"), .colour = i};
    double low = group.runs.points.front().flops, high = low;
    for (const auto& point : group.runs.points) {
      runs.points.push_back({point.flops, point.loss});
      low = std::min(low, point.flops);
      high = std::max(high, point.flops);
    }
    figure.series.push_back(std::move(runs));
    if (!group.parametric || !scaling::has_frontier(group.parametric->law)) continue;
    // Where the optimum is inside of what was measured.
    ScatterSeries frontier{.style = ScatterSeries::Style::kLine, .label = labelled(group, "frontier"), .colour = i};
    for (const double flops : log_spaced(low, high)) {
      const auto best = scaling::optimum(scaling::frontier_of(group.parametric->law), flops);
      if (scaling::outside_of(group.runs.points, best).empty())
        frontier.points.push_back({flops, scaling::loss(group.parametric->law, best.parameters, best.tokens)});
    }
    if (!frontier.points.empty()) figure.series.push_back(std::move(frontier));
  }
  return figure;
}

// Loss against N, with a parabola for each budget.
Scatter isoflop_figure(const scaling::Fits& fits) {
  Scatter figure{.name = "isoflop",
                 .title = fits.report.title + ": IsoFLOP profiles",
                 .x = "parameters",
                 .y = "loss, nats per token"};
  for (const auto& group : fits.groups) {
    if (!group.isoflop) continue;
    for (const auto& profile : group.isoflop->profiles) {
      const auto colour = figure.series.size() / 2;
      ScatterSeries runs{.label = labelled(group, fmt::format("C={:.3g}", profile.flops)), .colour = colour};
      for (const auto row : profile.rows)
        runs.points.push_back({group.runs.points[row].parameters, group.runs.points[row].loss});
      ScatterSeries parabola{.style = ScatterSeries::Style::kLine, .label = "", .colour = colour};
      if (profile.rejected.empty())
        for (const double size : log_spaced(runs.points.front().x, runs.points.back().x)) {
          const double far = std::log10(size / profile.parameters);
          parabola.points.push_back({size, profile.lowest + profile.curvature * far * far});
        }
      figure.series.push_back(std::move(runs));
      figure.series.push_back(std::move(parabola));
    }
  }
  return figure;
}

// What the law leaves over, against FLOPs.
Scatter residual_figure(const scaling::Fits& fits) {
  Scatter figure{.name = "residuals",
                 .title = fits.report.title + ": residuals of the parametric fit",
                 .x = "training FLOPs",
                 .y = "ln(fitted loss) - ln(loss)"};
  for (std::size_t i = 0; i < fits.groups.size(); ++i) {
    const auto& group = fits.groups[i];
    if (!group.parametric) continue;
    ScatterSeries residuals{.label = labelled(group, "runs"), .colour = i};
    for (std::size_t row = 0; row < group.parametric->kept.size(); ++row)
      residuals.points.push_back(
          {group.runs.points[group.parametric->kept[row]].flops, group.parametric->residuals[row]});
    figure.series.push_back(std::move(residuals));
  }
  return figure;
}

// The compute multipliers of all variants.
Scatter multiplier_figure(const scaling::Fits& fits) {
  Scatter figure{.name = "multiplier",
                 .title = fits.report.title + ": compute multiplier, 95% intervals",
                 .x = "training FLOPs of the costlier side",
                 .y = "baseline's compute / variant's compute"};
  for (std::size_t i = 0; i < fits.multipliers.size(); ++i) {
    const auto& [variant, baseline, found] = fits.multipliers[i];
    ScatterSeries rungs{.style = ScatterSeries::Style::kIntervals, .label = variant + " over " + baseline, .colour = i};
    auto beyond = rungs;
    beyond.label += " (extrapolated)";
    beyond.colour = i + fits.multipliers.size();
    for (const auto& rung : found.rungs)
      (rung.is_extrapolated ? beyond : rungs).points.push_back({rung.flops, rung.multiplier, rung.interval});
    for (auto* series : {&rungs, &beyond})
      if (!series->points.empty()) figure.series.push_back(std::move(*series));
  }
  return figure;
}

}  // namespace

std::vector<std::filesystem::path> draw_scaling_figures(const scaling::Fits& fits,
                                                        const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> written;
  for (const auto& figure : {loss_figure(fits), isoflop_figure(fits), residual_figure(fits), multiplier_figure(fits)}) {
    if (figure.series.empty()) continue;
    draw_files(figure.name, csv_of(figure, fits.report), script_of(figure, fits.report), folder);
    for (const char* end : {".svg", ".csv"}) written.push_back(folder / (figure.name + end));
  }
  return written;
}

}  // namespace assay::report
