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
#include "record/plan_lines.h"
#include "record/run_input.h"
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

void settle(json& value) {
  if (record::is_run_input(value))
    value["sha256"] = weights_of(value);
  else if (value.is_structured())
    for (auto& item : value) settle(item);
}

// Adds the plugins that trained the input, with their current hashes, so that its model can be built. Components that
// the line already has are kept.
void add_plugins(const json& input, json& plan_line) {
  const record::RunLayout run(input.at("path").get<std::string>());
  const record::ExperimentLayout experiment(run.folder().parent_path().parent_path());
  const auto lines = record::read_plan_lines(experiment.plan());
  const auto line = std::find_if(lines.begin(), lines.end(),
                                 [&](const json& one) { return one.at("train_id") == input.at("train_id"); });
  if (line == lines.end())
    throw UserError("input " + input.at("experiment").get<std::string>() + " (" + run.folder().string() +
                    "): the run is no longer in the plan of its experiment; plan it again");
  for (const char* part : {"/data/tokenizer", "/model"}) check_paths(line->at("train").at(json::json_pointer(part)));
  const auto trained = record::training_plugins(*line);
  for (const auto& [component, ignored] : trained.items()) {
    if (plan_line["plugins"].contains(component)) continue;
    auto plugin = line->at("plugins").at(component);
    const std::string file = plugin.at("file");
    plugin["sha256"] = base::sha256_of_file(file);
    plugin["build_id"] = record::build_id_of_file(file);
    plugin["roles"] = {record::kInputRole};
    plan_line["plugins"][component] = std::move(plugin);
  }
}

}  // namespace

void settle_inputs(json& plan_line) {
  const auto asked = record::inputs_in(plan_line.at("evaluate"));
  for (const char* part : {"train", "evaluate"}) settle(plan_line.at(part));
  for (const auto& input : asked) add_plugins(input, plan_line);
}

}  // namespace assay::app
