#include "app/worker_inputs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/planned_code.h"
#include "assay/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "record/build_id.h"
#include "record/code.h"
#include "record/layout.h"
#include "record/plan_line/plan_lines.h"
#include "record/plan_line/run_input.h"
#include "record/train_record.h"

namespace assay::app {
namespace {

using nlohmann::json;

std::string weights_of(const json& input) {
  const record::RunLayout run(input.at("path").get<std::string>());
  const auto name = "input " + input.at("experiment").get<std::string>() + " (" + run.folder().string() + "): ";
  if (!record::has_record(run.train_record()))
    throw UserError(name + "the run is not finished; run it first, or use assay run --with-inputs");
  const auto expected = json::parse(base::read_file(run.train_record())).value("weights_sha256", "");
  if (expected.empty()) throw UserError(name + "the run kept no weights; train it with train.keep = \"weights\"");
  if (!std::filesystem::exists(run.weights()) || base::sha256_of_file(run.weights()) != expected)
    throw UserError(name + "weights.safetensors does not match the train record; run it again");
  return expected;
}

void resolve_inputs_in(json& value) {
  if (record::is_run_input(value))
    value["sha256"] = weights_of(value);
  else if (value.is_structured())
    for (auto& item : value) resolve_inputs_in(item);
}

// Adds the plugins that trained the input, with their current hashes, so that its model can be built. Components that
// the line already has are kept.
void add_plugins(const json& input, record::PlanLine& plan_line) {
  const record::RunLayout run(input.at("path").get<std::string>());
  const record::ExperimentLayout experiment(run.folder().parent_path().parent_path());
  const auto lines = record::read_plan_lines(experiment.plan());
  const auto line = std::ranges::find(lines, input.at("train_id").get<std::string>(), &record::PlanLine::train_id);
  if (line == lines.end())
    throw UserError("input " + input.at("experiment").get<std::string>() + " (" + run.folder().string() +
                    "): the run is no longer in the plan of its experiment; plan it again");
  for (const auto* part : {&line->train.data.tokenizer, &line->train.model}) check_paths(*part);
  for (const auto& [component, trained] : line->plugins) {
    if (!record::has_role(trained, "train") || plan_line.plugins.contains(component)) continue;
    auto& plugin = plan_line.plugins[component] = trained;
    plugin.sha256 = base::sha256_of_file(plugin.file);
    plugin.build_id = record::build_id_of_file(plugin.file);
    plugin.roles = {record::kInputRole};
  }
}

}  // namespace

void resolve_inputs(record::PlanLine& plan_line) {
  const auto inputs = record::inputs_in(plan_line.evaluate);
  record::for_each_config(plan_line.train, resolve_inputs_in);
  for (auto& one : plan_line.evaluate) resolve_inputs_in(one.config);
  for (const auto& input : inputs) add_plugins(input, plan_line);
}

}  // namespace assay::app
