// assay plan: every run that an experiment file means, or everything that is wrong with it.
#include "config/plan.h"

#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/text_table.h"

namespace assay::cli {
namespace {

using nlohmann::json;

std::string cell(const json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{:.6g}", value.get<double>()) : value.dump();
}

long long steps_of(const json& line) { return line.at("train").at("train").at("steps").get<long long>(); }

long long tokens_of(const json& line) {
  const auto& train = line.at("train");
  return steps_of(line) * train.at("train").at("batch").get<long long>() *
         train.at("data").at("context").get<long long>();
}

void print_text(const config::Plan& plan) {
  std::vector<std::string> head{"id"};
  head.insert(head.end(), plan.axes.begin(), plan.axes.end());
  head.insert(head.end(), {"seed", "steps", "tokens"});
  std::vector<std::vector<std::string>> rows{head};
  long long steps = 0, tokens = 0;
  for (const auto& line : plan.lines) {
    std::vector<std::string> row{line.at("train_id").get<std::string>().substr(0, 8)};
    for (const auto& axis : plan.axes) row.push_back(cell(line.at("axes").value(axis, json())));
    row.insert(row.end(), {line.at("seed").dump(), grouped(steps_of(line)), grouped(tokens_of(line))});
    rows.push_back(std::move(row));
    steps += steps_of(line);
    tokens += tokens_of(line);
  }
  const auto seeds = plan.lines.size() / plan.distinct;
  fmt::print("{}: {} combination{}, {} distinct, {} seed{}: {} run{}\n\n", plan.experiment, plan.combinations,
             plan.combinations == 1 ? "" : "s", plan.distinct, seeds, seeds == 1 ? "" : "s", plan.lines.size(),
             plan.lines.size() == 1 ? "" : "s");
  fmt::print("{}\ntotal: {} steps, {} tokens\n", aligned(rows), grouped(steps), grouped(tokens));
}

void print_json(const config::Plan& plan) {
  const json document{{"experiment", plan.experiment},
                      {"results", plan.results_folder.string()},
                      {"axes", plan.axes},
                      {"combinations", plan.combinations},
                      {"distinct", plan.distinct},
                      {"runs", plan.lines}};
  fmt::print("{}\n", document.dump(2, ' ', false, json::error_handler_t::replace));
}

}  // namespace

int plan(const Arguments& arguments) {
  auto options = plan_options();
  options.add_options()("json", "the whole plan as JSON");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  const auto made = config::make_plan(plan_request(arguments, *parsed));
  for (const auto& warning : config::shadow_warnings(made)) fmt::print(stderr, "{}\n", warning);
  if (parsed->options.count("json")) {
    print_json(made);
  } else {
    print_text(made);
  }
  return kDone;
}

}  // namespace assay::cli
