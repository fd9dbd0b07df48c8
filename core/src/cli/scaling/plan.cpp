// assay scaling plan: the compute-optimal model for a budget, and what an experiment's runs cost beside it.
#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "assay/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/text.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_outlook.h"
#include "cli/shared/text_table.h"
#include "launch/progress.h"
#include "launch/trunks.h"
#include "record/metric.h"
#include "scaling/law_file.h"
#include "scaling/parametric.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

using Rows = std::vector<std::vector<std::string>>;

struct Law {
  scaling::PowerLaw law;
  std::string name;
  double least_flops = 0, most_flops = std::numeric_limits<double>::infinity();  // of its runs, where they are known
};

Law law_of(const std::string& file, const std::string& runs) {
  if (!file.empty()) return {.law = scaling::parse_law(base::read_file(file), file, runs), .name = file};
  return {scaling::power_law_of(scaling::kPaperLaw), "Hoffmann et al. 2022 (arXiv:2203.15556); --law takes another",
          6e18, 3e21};
}

std::string short_number(double value) { return fmt::format("{:.4g}", value); }

// One line per budget.
void print_optima(const Law& law, const std::vector<double>& budgets) {
  const auto short_number = [](double value) { return fmt::format("{:.7g}", value); };
  const auto frontier = scaling::frontier_of(law.law);
  Rows rows{{"FLOPs", "parameters", "tokens", "tokens/parameter", "loss"}};
  for (const double flops : budgets) {
    const auto best = scaling::optimum(frontier, flops);
    rows.push_back({short_number(flops), short_number(best.parameters), short_number(best.tokens),
                    short_number(best.tokens_per_parameter()),
                    short_number(scaling::loss(law.law, best.parameters, best.tokens))});
  }
  fmt::print("Compute-optimal under 6ND, by the law of {}:\n\n{}\n", base::printable(law.name), aligned(rows));
  if (std::any_of(budgets.begin(), budgets.end(),
                  [&](double flops) { return flops < law.least_flops || flops > law.most_flops; }))
    fmt::print("Extrapolated: the runs behind this law have C from {:.4g} to {:.4g}.\n\n", law.least_flops,
               law.most_flops);
}

// A size of an experiment: runs that differ in their length alone have one.
struct Size {
  double parameters = 0, row_flops = 0;
  const record::PlanLine* line = nullptr;  // one of its runs
  std::string label{};                     // the keys of the model that the experiment sweeps
};

// "model.layers=2 model.width=32".
std::string size_label(const record::PlanLine& line) {
  std::string label;
  for (const auto& [axis, value] : line.axes.items())
    if (axis.starts_with("model.") || axis == "positional" || axis == "case")
      label += (label.empty() ? "" : " ") + axis + "=" + record::scalar_text(value);
  return base::printable(label);
}

std::vector<Size> sizes_of(const plan::Plan& plan) {
  std::vector<Size> sizes;
  for (const auto& line : plan.lines) {
    const auto measured = plan.sizes.find(line.group);
    if (measured == plan.sizes.end()) continue;
    const auto parameters = static_cast<double>(measured->second.parameters);
    const auto same = [&](const Size& one) {
      return one.parameters == parameters && one.line->train.model == line.train.model;
    };
    if (std::none_of(sizes.begin(), sizes.end(), same))
      sizes.push_back({parameters, measured->second.row_flops, &line, size_label(line)});
  }
  std::stable_sort(sizes.begin(), sizes.end(),
                   [](const Size& one, const Size& other) { return one.parameters < other.parameters; });
  return sizes;
}

// What each size of the experiment reaches with a budget, and which of them is the best.
void print_sizes(const Law& law, const std::vector<Size>& sizes, double flops) {
  Rows rows{{"size", "parameters", "steps", "tokens", "tokens/parameter", "FLOPs (6ND)", "FLOPs (exact)", "loss", ""}};
  std::vector<double> losses;
  for (const auto& size : sizes) {
    const auto per_step = static_cast<double>(size.line->tokens_per_step());
    const double steps = std::floor(flops / (6 * size.parameters * per_step)), tokens = steps * per_step;
    if (steps < 1) {
      losses.push_back(std::numeric_limits<double>::infinity());
      rows.push_back(
          {size.label, short_number(size.parameters), "0", "", "", "", "", "", "the budget is below one step"});
      continue;
    }
    losses.push_back(scaling::loss(law.law, size.parameters, tokens));
    const double exact = size.row_flops * steps * static_cast<double>(size.line->train.train.batch);
    rows.push_back({size.label, short_number(size.parameters), short_number(steps), short_number(tokens),
                    short_number(tokens / size.parameters), short_number(6 * size.parameters * tokens),
                    exact > 0 ? short_number(exact) : "", short_number(losses.back()), ""});
  }
  const auto best = static_cast<std::size_t>(std::min_element(losses.begin(), losses.end()) - losses.begin());
  if (!std::isfinite(losses[best]))
    throw UserError(
        fmt::format("the budget {:.4g} FLOPs is below one step of the smallest model ({:.4g} parameters); give a "
                    "larger budget, or a smaller model or batch",
                    flops, sizes.front().parameters));
  const double smallest = sizes.front().parameters, largest = sizes.back().parameters, found = sizes[best].parameters;
  const bool at_edge = smallest < largest && (found == smallest || found == largest);
  rows[best + 1].back() =
      at_edge ? "best of these, at the edge of the family: its optimum may be outside" : "best of these";
  fmt::print("The experiment's sizes at {:.4g} FLOPs:\n\n{}\n", flops, aligned(rows));
}

// The runs of the experiment as it is.
void print_runs(const Law& law, const plan::Plan& plan) {
  const auto outlook = outlook_of(plan);
  Rows rows{
      {"run", "parameters", "steps", "tokens", "tokens/parameter", "FLOPs (6ND)", "FLOPs (exact)", "loss", "time"}};
  const std::size_t seeds = plan.lines.size() / std::max<std::size_t>(1, plan.distinct);
  double seconds = 0;
  bool is_known = true;
  for (std::size_t i = 0; i < plan.lines.size(); ++i) {
    const auto& line = plan.lines[i];
    const auto time = outlook.runs[i].seconds;
    seconds += time.value_or(0);
    is_known &= time.has_value();
    if (i % seeds != 0) continue;
    const auto size = plan.sizes.find(line.group);
    if (size == plan.sizes.end()) continue;
    const auto parameters = static_cast<double>(size->second.parameters), tokens = static_cast<double>(line.tokens());
    const double exact = size->second.row_flops * static_cast<double>(line.steps() * line.train.train.batch);
    rows.push_back(
        {line.label, base::grouped(size->second.parameters), base::grouped(line.steps()), base::grouped(line.tokens()),
         short_number(tokens / parameters), short_number(outlook.runs[i].six_nd), exact > 0 ? short_number(exact) : "",
         short_number(scaling::loss(law.law, parameters, tokens)), time ? launch::duration_text(*time) : ""});
  }
  fmt::print("The runs of {}, with {} each:\n\n{}", base::printable(plan.experiment),
             base::plural(static_cast<std::int64_t>(seeds), "seed"), aligned(rows));
  const auto shared = plan.share_trunks ? launch::shared_steps_of(plan.lines) : launch::SharedSteps{};
  if (const auto text = launch::shared_text(shared); !text.empty()) fmt::print("{}\n", text);
  if (!is_known || outlook.earlier == 0) {
    fmt::print("No time is estimated, because no earlier run on this machine tells its rate.\n");
    return;
  }
  const double trained =
      shared.planned > 0 ? 1 - static_cast<double>(shared.shared) / static_cast<double>(shared.planned) : 1;
  fmt::print("about {} for all of them, one after another (from {} on this machine)\n",
             launch::duration_text(seconds * trained),
             base::plural(static_cast<std::int64_t>(outlook.earlier), "earlier run"));
}

// Budgets for a given size or loss.
void print_budgets(const Law& law, const std::vector<double>& sizes, const std::vector<double>& losses) {
  Rows rows{{"wanted", "FLOPs", "parameters", "tokens"}};
  const auto frontier = scaling::frontier_of(law.law);
  const auto add = [&](const std::string& wanted, double flops) {
    const auto best = scaling::optimum(frontier, flops);
    rows.push_back({wanted, short_number(flops), short_number(best.parameters), short_number(best.tokens)});
  };
  for (const double size : sizes)
    add(fmt::format("{:.4g} parameters", size), scaling::flops_for_parameters(frontier, size));
  for (const double loss : losses) {
    const auto flops = scaling::flops_for_loss(law.law, loss);
    if (!flops)
      throw UserError(fmt::format("assay scaling plan: no budget reaches the loss {:g}; the law has {:.4g} at infinity",
                                  loss, law.law.E));
    add(fmt::format("loss {:g}", loss), *flops);
  }
  fmt::print("Budgets by the law of {}:\n\n{}\n", base::printable(law.name), aligned(rows));
}

void check_positive(const std::vector<double>& values, const char* option) {
  for (const double value : values)
    if (!(value > 0) || !std::isfinite(value))
      throw UserError(fmt::format("assay scaling plan: --{} {:g} must be a number above 0", option, value));
}

}  // namespace

int scaling_plan(const Arguments& arguments) {
  std::string law_file, runs;
  std::vector<double> budgets, parameters, losses;
  auto options = plan_options();
  options.add_options()("flops", po::value(&budgets)->value_name("C")->multitoken(), "budgets in training FLOPs")(
      "parameters", po::value(&parameters)->value_name("N")->multitoken(), "sizes to find the budget for")(
      "loss", po::value(&losses)->value_name("L")->multitoken(), "losses to find the budget for, nats per token")(
      "law", po::value(&law_file)->value_name("FILE"),
      "output of 'scaling fit --format json', or a JSON object with A, B, E, alpha and beta")(
      "runs", po::value(&runs)->value_name("NAME"), "which runs' law, where the file has several");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (budgets.empty() && parameters.empty() && losses.empty() && parsed->words.empty())
    throw UserError(
        "assay scaling plan takes --flops, --parameters, --loss or an experiment file; see assay scaling plan --help");
  check_positive(budgets, "flops");
  check_positive(parameters, "parameters");
  check_positive(losses, "loss");
  const auto law = law_of(law_file, runs);
  if (!budgets.empty()) print_optima(law, budgets);
  if (!parameters.empty() || !losses.empty()) print_budgets(law, parameters, losses);
  if (parsed->words.empty()) return kDone;
  const auto plan = plan::make_plan(plan_request(arguments, *parsed));
  for (const auto& warning : plan::warnings_of(plan)) fmt::print(stderr, "{}\n", base::printable(warning));
  const auto sizes = sizes_of(plan);
  if (sizes.empty()) throw UserError(parsed->words[0] + ": no model of the experiment could be measured");
  for (const double flops : budgets) print_sizes(law, sizes, flops);
  print_runs(law, plan);
  return kDone;
}

}  // namespace assay::cli
