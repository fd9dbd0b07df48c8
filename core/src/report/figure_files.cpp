// The files of a figure: CSV, and a gnuplot script.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "compare/csv.h"
#include "report/figure.h"
#include "report/gnuplot.h"

namespace assay {
namespace {

// Okabe and Ito 2008: told apart with any kind of colour vision, and in print.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"};
constexpr size_t kMostTics = 12;          // more values than that get the tics that gnuplot chooses
constexpr size_t kMostTicText = 80;       // characters that fit below the axis side by side
constexpr double kLogarithmicFrom = 8.0;  // largest over smallest x

// x and how it reads, by x.
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
  if (is_logarithmic(figure, places)) commands += "set logscale x\n";
  if (!figure.categories && places.size() > kMostTics) return commands;
  std::vector<std::string> tics;
  size_t length = 0;
  for (const auto& [x, text] : places) {
    tics.push_back(fmt::format("{} {}", gnuplot_string(text), x));
    length += text.size() + 2;
  }
  commands += fmt::format("set xtics {}({})\n", length > kMostTicText ? "rotate by -35 " : "", fmt::join(tics, ", "));
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

std::string caption(const Figure& figure) {
  const bool held_out = !figure.y.starts_with("train.");
  return fmt::format("mean and 95% Student-t interval over seeds ({}){}", n_text(figure),
                     held_out ? ", on this held-out text" : "");
}

}  // namespace

std::string figure_csv(const Figure& figure) {
  std::vector<std::string> header{"series", figure.x, "mean", "half_width", "n", "runs"};
  if (figure.categories) header.push_back("place");
  auto text = csv_line(header);
  for (const auto& series : figure.series)
    for (const auto& point : series.points) {
      const auto& summary = point.summary;
      std::vector<std::string> fields{series.label,
                                      point.x_text,
                                      summary.n > 0 ? fmt::format("{}", summary.mean) : "",
                                      summary.half_width ? fmt::format("{}", *summary.half_width) : "",
                                      fmt::format("{}", summary.n),
                                      count_text(point.count)};
      if (figure.categories) fields.push_back(fmt::format("{}", point.x));
      text += csv_line(fields);
    }
  text += fmt::format("# {}: {} by {}; {}\n", figure.experiment, figure.y, figure.x, caption(figure));
  for (const auto& [name, value] : figure.provenance) text += fmt::format("# {}: {}\n", name, value);
  return text;
}

std::string figure_script(const Figure& figure) {
  auto script =
      fmt::format("# Draws {0}.svg and {0}.pdf of {0}.csv, all in this folder: gnuplot {0}.gp\n", figure.name);
  for (const auto& [name, value] : figure.provenance) script += fmt::format("# {}: {}\n", name, value);
  script += fmt::format(
      "set datafile separator comma\n"
      "set title {}.\"\\n\".{}\n"
      "set xlabel {}\n"
      "set ylabel {}\n"
      "set key {}\n"
      "set border 3\nset tics nomirror\nset grid ytics\n"
      "set offsets graph 0.04, graph 0.04, graph 0.04, graph 0.04\n",
      gnuplot_string(fmt::format("{}: {} by {}", figure.experiment, figure.y, figure.x)),
      gnuplot_string(caption(figure)), gnuplot_string(figure.x),
      gnuplot_string(figure.unit.empty() ? figure.y : figure.y + ", " + figure.unit),
      figure.series.size() == 1 && figure.series[0].label == figure.y ? "off" : "outside right top");
  for (size_t i = 0; i < std::size(kColours); ++i)
    script +=
        fmt::format("set linetype {} linecolor rgb '{}' linewidth 1.5 pointtype 7 pointsize 0.6\n", i + 1, kColours[i]);
  script += axis_commands(figure);
  std::vector<std::string> plots;
  size_t first = 0;
  for (size_t i = 0; i < figure.series.size(); ++i) {
    const auto last = first + figure.series[i].points.size() - 1;
    const auto rows =
        fmt::format("'{}.csv' skip 1 every ::{}::{} using {}:3", figure.name, first, last, figure.categories ? 7 : 2);
    const auto style = fmt::format("linetype {} dashtype {}", i % std::size(kColours) + 1, i / std::size(kColours) + 1);
    plots.push_back(fmt::format("{} with {} {} title {}", rows, figure.categories ? "points" : "linespoints", style,
                                gnuplot_string(figure.series[i].label)));
    plots.push_back(fmt::format("{}:4 with yerrorbars {} notitle", rows, style));
    first = last + 1;
  }
  const auto terminal = [&](const char* kind, const char* size, const char* end) {
    return fmt::format("set terminal {} size {} noenhanced font 'sans,11' background rgb 'white'\nset output '{}.{}'\n",
                       kind, size, figure.name, end);
  };
  script += terminal("svg", "800,480", "svg") + fmt::format("plot {}\n", fmt::join(plots, ", \\\n     ")) +
            terminal("pdfcairo", "8in,4.8in", "pdf") + "replot\n";
  return script;
}

}  // namespace assay
