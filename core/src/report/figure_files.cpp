// The files of a figure: CSV, and a gnuplot script.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/printable.h"
#include "compare/formats/csv.h"
#include "report/figure.h"
#include "report/gnuplot.h"

namespace assay::report {
namespace {

constexpr size_t kMaxTics = 12;           // with more values, gnuplot chooses the tics
constexpr size_t kMaxTicText = 80;        // characters that fit below the axis
constexpr double kMargin = 0.04;          // beside the outermost points, in lengths of the axis between them
constexpr double kLogarithmicFrom = 8.0;  // ratio of the largest to the smallest x

// x and its text, sorted by x.
std::map<double, std::string> places_of(const Figure& figure) {
  std::map<double, std::string> places;
  for (const auto& series : figure.series)
    for (const auto& point : series.points) places[point.x] = point.x_text;
  return places;
}

bool is_logarithmic(const Figure& figure, const std::map<double, std::string>& places) {
  return !figure.categories && !places.empty() && places.begin()->first > 0 &&
         places.rbegin()->first / places.begin()->first >= kLogarithmicFrom;
}

std::string axis_commands(const Figure& figure) {
  const auto places = places_of(figure);
  std::string commands;
  if (is_logarithmic(figure, places)) {
    // Without a range gnuplot extends a logarithmic axis to whole powers of ten, which can leave a third of it empty.
    const double first = places.begin()->first, last = places.rbegin()->first;
    const double margin = std::pow(last / first, kMargin);
    commands += fmt::format("set logscale x\nset xrange [{:.6g}:{:.6g}]\n", first / margin, last * margin);
  }
  if (!figure.categories && places.size() > kMaxTics) return commands;
  std::vector<std::string> tics;
  size_t length = 0;
  for (const auto& [x, text] : places) {
    tics.push_back(fmt::format("{} {}", gnuplot_string(text), x));
    length += text.size() + 2;
  }
  commands += fmt::format("set xtics {}({})\n", length > kMaxTicText ? "rotate by -35 " : "", fmt::join(tics, ", "));
  return commands;
}

std::string n_text(const Figure& figure) {
  size_t least = SIZE_MAX, most = 0;
  for (const auto& series : figure.series)
    for (const auto& point : series.points) {
      if (point.summary.n == 0) continue;
      least = std::min(least, point.summary.n);
      most = std::max(most, point.summary.n);
    }
  if (most == 0) return "n = 0";
  return least == most ? fmt::format("n = {}", most) : fmt::format("n = {} to {}", least, most);
}

std::string part_text(const compare::Count& count) {
  return fmt::format("{} of {} runs ({})", count.present, count.planned, compare::reasons_text(count));
}

// One line per series for means of a part of the planned runs and for points without a value: "a at 512, 1024: 2 of 3
// runs (1 failed)".
std::vector<std::string> incomplete(const Figure& figure) {
  std::vector<std::string> lines;
  for (const auto& series : figure.series) {
    std::vector<std::pair<std::string, std::vector<std::string>>> parts;  // text and its x values
    for (const auto& point : series.points) {
      if (!compare::lacks_values(point.count)) continue;
      const auto text = part_text(point.count);
      if (parts.empty() || parts.back().first != text) parts.push_back({text, {}});
      parts.back().second.push_back(point.x_text);
    }
    for (const auto& [text, places] : parts)
      lines.push_back(fmt::format("{} at {}: {}", series.label, fmt::join(places, ", "), text));
  }
  for (const auto& [label, count] : figure.unplaced)
    lines.push_back(fmt::format("{}: {}, so it has no {}", label, part_text(count), figure.x));
  return lines;
}

std::string title(const Figure& figure, const std::string& caption) {
  constexpr size_t kMaxNamed = 3;
  std::vector<std::string> lines{fmt::format("{}: {} by {}", figure.experiment, figure.y, figure.x), caption};
  const auto marked = incomplete(figure);
  if (!marked.empty()) lines.push_back("ring: mean of a part of the planned runs; cross: no run has a value");
  for (size_t i = 0; i < std::min(kMaxNamed, marked.size()); ++i) lines.push_back(marked[i]);
  if (marked.size() > kMaxNamed) lines.push_back(fmt::format("and {} more", marked.size() - kMaxNamed));
  std::vector<std::string> quoted;
  for (const auto& line : lines) quoted.push_back(gnuplot_string(line));
  return fmt::format("set title {}\n", fmt::join(quoted, ".\"\\n\"."));
}

std::string linetype(size_t series) { return fmt::format("linetype {}", series % kGnuplotColours + 1); }

// Crosses at the upper edge where a series has no value, one row per series, and the space that they need.
std::string crosses(const Figure& figure) {
  constexpr double kHigh = 0.05;  // height of a row as a share of the graph
  std::string commands;
  size_t number = 0;
  int rows = 0;
  for (size_t i = 0; i < figure.series.size(); ++i) {
    const auto before = number;
    for (const auto& point : figure.series[i].points)
      if (point.summary.n == 0 && compare::lacks_values(point.count))
        commands += fmt::format("set label {} '' at first {}, graph {:.2f} point {} pointtype 2 pointsize 1\n",
                                ++number, point.x, 0.97 - kHigh * rows, linetype(i));
    rows += number > before;
  }
  return commands +
         fmt::format("set offsets graph {0}, graph {0}, graph {1:.2f}, graph {0}\n", kMargin, kMargin + kHigh * rows);
}

bool is_empty(const Figure& figure) {
  return std::all_of(figure.series.begin(), figure.series.end(), [](const FigureSeries& series) {
    return std::all_of(series.points.begin(), series.points.end(),
                       [](const FigurePoint& point) { return point.summary.n == 0; });
  });
}

// Without a value gnuplot cannot choose ranges.
std::string ranges_of_nothing(const Figure& figure) {
  const auto places = places_of(figure);
  const double first = places.empty() ? 1 : places.begin()->first, last = places.empty() ? 1 : places.rbegin()->first;
  return fmt::format("set xrange [{}:{}]\nset yrange [0:1]\nset format y ''\n", first == last ? first - 1 : first,
                     first == last ? last + 1 : last);
}

// A series' line, interrupted where a value is missing, its intervals, and rings around means of a part. `first`: its
// first line in the CSV.
void add_plots(const Figure& figure, size_t i, size_t first, std::vector<std::string>& plots) {
  const auto& series = figure.series[i];
  const auto style = fmt::format("{} dashtype {}", linetype(i), i / kGnuplotColours + 1);
  const auto name = gnuplot_string(series.label);
  const auto rows = [&](size_t begin, size_t end) {
    return fmt::format("'{}.csv' skip 1 every ::{}::{} using {}:3", figure.name, first + begin, first + end - 1,
                       figure.categories ? 7 : 2);
  };
  const auto* kind = figure.categories ? "points" : "linespoints";
  const auto& points = series.points;
  bool is_named = false;
  for (size_t begin = 0, end = 0; begin < points.size(); begin = end) {
    const bool is_there = points[begin].summary.n > 0;
    while (end < points.size() && (points[end].summary.n > 0) == is_there) ++end;
    if (!is_there) continue;
    plots.push_back(fmt::format("{} with {} {} {}", rows(begin, end), kind, style,
                                is_named ? "notitle" : fmt::format("title {}", name)));
    plots.push_back(fmt::format("{}:4 with yerrorbars {} notitle", rows(begin, end), style));
    is_named = true;
  }
  for (size_t at = 0; at < points.size(); ++at)
    if (points[at].summary.n > 0 && compare::lacks_values(points[at].count))
      plots.push_back(
          fmt::format("{} with points {} pointtype 6 pointsize 1.5 notitle", rows(at, at + 1), linetype(i)));
  if (!is_named) plots.push_back(fmt::format("NaN with {} {} title {}", kind, style, name));
}

std::string caption(const Figure& figure) {
  const bool held_out = !figure.y.starts_with("train.");
  return fmt::format("mean and 95% Student-t interval over seeds ({}){}", n_text(figure),
                     held_out ? ", on this held-out text" : "");
}

}  // namespace

std::string figure_csv(const Figure& figure) {
  std::vector<std::string> header{"series", figure.x, "mean", "half_width", "n", "runs"};
  if (figure.categories) header.push_back("place");
  std::vector<std::string> notes{fmt::format("{} by {}", figure.y, figure.x), caption(figure)};
  for (const auto& line : incomplete(figure)) notes.push_back("incomplete: " + line);
  const auto constant = compare::constant_columns(figure.experiment, notes, figure.provenance);
  for (const auto& [name, value] : constant) header.push_back(name);
  auto text = compare::csv_line(header);
  for (const auto& series : figure.series)
    for (const auto& point : series.points) {
      const auto& summary = point.summary;
      std::vector<std::string> fields{series.label,
                                      point.x_text,
                                      summary.n > 0 ? fmt::format("{}", summary.mean) : "",
                                      summary.half_width ? fmt::format("{}", *summary.half_width) : "",
                                      fmt::format("{}", summary.n),
                                      compare::count_text(point.count)};
      if (figure.categories) fields.push_back(fmt::format("{}", point.x));
      for (const auto& [name, value] : constant) fields.push_back(base::printable(value));
      text += compare::csv_line(fields);
    }
  return text;
}

std::string figure_script(const Figure& figure) {
  auto script = gnuplot_comment(
      fmt::format("Draws {0}.svg and {0}.pdf from {0}.csv, all in this folder; run: gnuplot {0}.gp", figure.name));
  for (const auto& [name, value] : figure.provenance) script += gnuplot_comment(name + ": " + value);
  script += fmt::format(
      "set datafile separator comma\n"
      "{}"
      "set xlabel {}\n"
      "set ylabel {}\n"
      "set key {}\n"
      "set border 3\nset tics nomirror\nset grid ytics\n",
      title(figure, caption(figure)), gnuplot_string(figure.x),
      gnuplot_string(figure.unit.empty() ? figure.y : figure.y + ", " + figure.unit),
      figure.series.size() == 1 && figure.series[0].label == figure.y ? "off" : "outside right top");
  script += gnuplot_linetypes() + axis_commands(figure);
  script += crosses(figure);
  if (is_empty(figure)) script += ranges_of_nothing(figure);
  std::vector<std::string> plots;
  size_t first = 0;
  for (size_t i = 0; i < figure.series.size(); ++i) {
    add_plots(figure, i, first, plots);
    first += figure.series[i].points.size();
  }
  if (plots.empty()) plots.push_back("NaN notitle");
  return script + gnuplot_outputs(figure.name, plots);
}

}  // namespace assay::report
