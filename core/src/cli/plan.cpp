// assay plan: lists every run of an experiment file, or every error in it.
#include "plan/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/printable.h"
#include "base/text.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "cli/shared/plan_outlook.h"
#include "cli/shared/text_table.h"
#include "cli/shared/until_decided.h"
#include "launch/progress.h"
#include "launch/trunks.h"
#include "plan/epochs.h"

namespace assay::cli {
namespace {

using nlohmann::json;

std::string cell(const json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.6g}", value.get<double>()) : value.dump();
}

// Steps, tokens and FLOPs of all runs, and the time of the remaining ones.
std::string totals(const plan::Plan& plan, const PlanOutlook& outlook) {
  long long steps = 0, tokens = 0;
  double flops = 0, seconds = 0, left = 0;
  bool known = true;
  for (size_t i = 0; i < plan.lines.size(); ++i) {
    steps += plan.lines[i].steps();
    tokens += plan.lines[i].tokens();
    const auto& run = outlook.runs[i];
    flops += run.six_nd;
    if (run.status == record::RunStatus::kDone || run.status == record::RunStatus::kStale) continue;
    ++left;
    known &= run.seconds.has_value();
    seconds += run.seconds.value_or(0);
  }
  auto text = fmt::format("total: {} steps, {} tokens", base::grouped(steps), base::grouped(tokens));
  if (flops > 0) text += fmt::format(", {:.3g} FLOPs (6ND)", flops);
  if (left > 0 && known && outlook.earlier > 0)
    text +=
        fmt::format("; about {} for the remaining runs, one after another (from {})", launch::duration_text(seconds),
                    base::plural(outlook.earlier, "earlier run") + " on this machine");
  text += "\n";
  std::vector<std::string> parts;
  for (const auto& [status, number] : outlook.counts) parts.push_back(fmt::format("{} {}", number, status));
  if (outlook.orphans)
    parts.push_back(base::plural(outlook.orphans, "run") + " that the plan does not contain (orphans)");
  if (outlook.counts.size() > 1 || !outlook.counts.count("queued") || outlook.orphans)
    text += fmt::format("{}\n", fmt::join(parts, ", "));
  return text;
}

launch::SharedSteps shared_steps_of(const plan::Plan& plan) {
  return plan.share_trunks ? launch::shared_steps_of(plan.lines) : launch::SharedSteps{};
}

void print_text(const plan::Plan& plan, const PlanOutlook& outlook) {
  const bool has_statuses = outlook.counts.size() > 1 || !outlook.counts.count("queued");
  std::vector<std::string> head{"id"};
  head.insert(head.end(), plan.axes.begin(), plan.axes.end());
  head.insert(head.end(), {"seed", "steps", "tokens"});
  if (!plan.data.empty()) head.emplace_back("epochs");
  if (has_statuses) head.emplace_back("status");
  std::vector<std::vector<std::string>> rows{head};
  for (size_t i = 0; i < plan.lines.size(); ++i) {
    const auto& line = plan.lines[i];
    std::vector<std::string> row{line.train_id.substr(0, 8)};
    for (const auto& axis : plan.axes) row.push_back(cell(line.axes.value(axis, json())));
    row.insert(row.end(), {fmt::format("{}", line.seed), base::grouped(line.steps()), base::grouped(line.tokens())});
    if (!plan.data.empty()) {
      const auto epochs = plan::epochs_of(plan.sizes, line);
      row.push_back(epochs > 0 ? fmt::format("{:.3g}", epochs) : "-");  // no training, or data of unknown size
    }
    if (has_statuses) row.emplace_back(record::name_of(outlook.runs[i].status));
    rows.push_back(std::move(row));
  }
  fmt::print("{}: {}, {} distinct, {}: {}\n\n", plan.experiment, base::plural(plan.combinations, "combination"),
             plan.distinct, base::plural(plan.lines.size() / plan.distinct, "seed"),
             base::plural(plan.lines.size(), "run"));
  fmt::print("{}\n{}", aligned(rows), totals(plan, outlook));
  if (const auto text = launch::shared_text(shared_steps_of(plan)); !text.empty()) fmt::print("{}\n", text);
  for (const auto& sentence : plan.data) fmt::print("data: {}\n", base::printable(sentence));
  for (const auto& note : power_notes(plan)) fmt::print("{}\n", note);
}

void print_json(const plan::Plan& plan, const PlanOutlook& outlook) {
  auto runs = json::array();
  for (size_t i = 0; i < plan.lines.size(); ++i) {
    auto run = plan.lines[i].to_json();
    const auto& ahead = outlook.runs[i];
    run["outlook"] = {{"status", record::name_of(ahead.status)}, {"six_nd", ahead.six_nd}, {"seconds", nullptr}};
    if (ahead.seconds) run["outlook"]["seconds"] = *ahead.seconds;
    if (const auto size = plan.sizes.find(plan.lines[i].group); size != plan.sizes.end()) {
      run["outlook"]["parameters"] = size->second.parameters;
      if (size->second.epoch_tokens > 0)
        run["outlook"].update(
            {{"epoch_tokens", size->second.epoch_tokens}, {"epochs", plan::epochs_of(plan.sizes, plan.lines[i])}});
    }
    runs.push_back(std::move(run));
  }
  const json document{{"experiment", plan.experiment},
                      {"results", plan.results_folder.string()},
                      {"axes", plan.axes},
                      {"combinations", plan.combinations},
                      {"distinct", plan.distinct},
                      {"orphans", outlook.orphans},
                      {"shared_steps", shared_steps_of(plan).shared},
                      {"data", plan.data},
                      {"notes", power_notes(plan)},
                      {"runs", runs}};
  fmt::print("{}\n", document.dump(2, ' ', false, json::error_handler_t::replace));
}

}  // namespace

int plan(const Arguments& arguments) {
  auto options = plan_options();
  options.add_options()("json", "print the whole plan as JSON");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  const auto made = plan_of_study(plan_request(arguments, *parsed));
  for (const auto& warning : plan::warnings_of(made)) fmt::print(stderr, "{}\n", base::printable(warning));
  note_other_plans_of_inputs(made);
  const auto outlook = outlook_of(made);
  if (parsed->options.count("json"))
    print_json(made, outlook);
  else
    print_text(made, outlook);
  return kDone;
}

}  // namespace assay::cli
