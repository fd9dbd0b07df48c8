// assay schedule X.toml: plots the learning rate of every run over its steps in the terminal, or prints it as CSV.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"
#include "compare/formats/csv.h"
#include "plan/plan.h"
#include "study/partners.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;
using nlohmann::json;

constexpr int kWidth = 64, kHeight = 4;  // characters of a plot

// Rows with the same rates share one plot.
struct Curve {
  std::vector<std::string> labels;
  const json* rates;  // as the worker returns them
};

std::string label_of(const record::PlanLine& line, const std::string& experiment) {
  return line.label.empty() ? experiment : line.label;
}

std::vector<Curve> curves_of(const std::vector<const record::PlanLine*>& lines, const json& answer,
                             const std::string& experiment) {
  std::vector<Curve> curves;
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto same = [&](const Curve& one) { return one.rates->at("digest") == answer[i].at("digest"); };
    auto found = std::find_if(curves.begin(), curves.end(), same);
    if (found == curves.end()) found = curves.insert(curves.end(), Curve{{}, &answer[i]});
    found->labels.push_back(label_of(*lines[i], experiment));
  }
  return curves;
}

// Draws bars in eighths of a character under the curve; `top` has the full height.
std::string picture(const json& points, double top) {
  static constexpr const char* kEighths[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                             "\u2585", "\u2586", "\u2587", "\u2588"};
  std::string text;
  for (int row = kHeight - 1; row >= 0; --row) {
    std::string line = "  ";
    for (const auto& point : points) {
      const auto filled = static_cast<int>(std::lround(8 * kHeight * point[1].get<double>() / top));
      line += kEighths[std::clamp(filled - 8 * row, 0, 8)];
    }
    text += line + "\n";
  }
  return text;
}

std::string text_of(const Curve& curve, double top) {
  std::string text;
  for (const auto& label : curve.labels) text += base::printable(label) + "\n";
  const auto& points = curve.rates->at("points");
  if (points.empty()) return text + "  no step is trained\n";
  if (top > 0) text += picture(points, top);
  const auto at = [&](const char* name, size_t column) { return curve.rates->at(name)[column].get<double>(); };
  text += fmt::format("  rate: {:.4g} at step 0, highest {:.4g} at {}, last {:.4g} at {}\n", at("first", 1),
                      at("highest", 1), at("highest", 0), at("last", 1), at("last", 0));
  if (at("first", 2) != 1 || at("last", 2) != 1)
    text +=
        fmt::format("  weight decay: {:.4g} of its value at first, {:.4g} at last\n", at("first", 2), at("last", 2));
  return text;
}

double highest_rate(const json& answer) {
  double top = 0;
  for (const auto& one : answer) top = std::max(top, one.at("highest")[1].get<double>());
  return top;
}

}  // namespace

int schedule(const Arguments& arguments) {
  std::string format;
  int64_t points = 0;
  auto options = plan_options();
  options.add_options()("format", po::value(&format)->default_value("text")->value_name("F"), "text or csv")(
      "points", po::value(&points)->value_name("N"),
      "with csv: at most N steps per run, the step with the highest rate of each of N equal intervals; "
      "default: all steps");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (format != "text" && format != "csv")
    throw UserError("--format: '" + format + "' is not a valid format; give text or csv");
  if (parsed->options.count("points") && (points < 2 || format != "csv"))
    throw UserError("--points must be at least 2 and requires --format csv");
  const auto plan = plan::make_plan(plan_request(arguments, *parsed));
  for (const auto& warning : plan::warnings_of(plan)) fmt::print(stderr, "{}\n", base::printable(warning));
  const auto lines = study::first_lines(plan.lines);
  json request = {{"lines", json::array()},
                  {"points", format == "text" ? kWidth
                             : points > 0     ? points
                                              : std::numeric_limits<int64_t>::max()}};
  for (const auto* line : lines) request["lines"].push_back(line->to_json());
  const auto answer = worker::learning_rates(request);
  if (format == "text") {
    const auto top = highest_rate(answer);
    for (const auto& curve : curves_of(lines, answer, plan.experiment)) fmt::print("{}\n", text_of(curve, top));
    return kDone;
  }
  fmt::print("{}", compare::csv_line({"run", "step", "rate", "weight_decay_factor"}));
  for (size_t i = 0; i < lines.size(); ++i)
    for (const auto& point : answer.at(i).at("points"))
      fmt::print("{}", compare::csv_line(
                           {label_of(*lines[i], plan.experiment), point[0].dump(), point[1].dump(), point[2].dump()}));
  return kDone;
}

}  // namespace assay::cli
