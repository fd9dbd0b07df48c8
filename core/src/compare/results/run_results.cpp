#include "compare/results/run_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "record/code.h"
#include "record/metric.h"
#include "record/metric_name.h"
#include "record/plan_line/plan_lines.h"
#include "record/staleness.h"
#include "record/state.h"
#include "record/train_record.h"

namespace assay::compare {
namespace {

using nlohmann::json;
using record::RunStatus;

json read_record(const std::filesystem::path& file) {
  auto record = json::parse(base::read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!record.is_object())
    throw UserError(file.string() + ": the file is not a record (JSON object); remove it and run again");
  if (record.value("schema", 0) != 1)
    throw UserError(fmt::format("{}: the record has schema {}; this version of assay reads schema 1", file.string(),
                                record.value("schema", 0)));
  return record;
}

void add_metrics(const json& record, const std::string& label, bool stale, RunResult& run,
                 std::vector<MetricInfo>& found) {
  for (const auto& metric : record.value("metrics", json::array())) {
    const auto name = record::metric_name(label, metric);
    const auto part = [&](const char* key) { return record::number_or_nan(metric.value(key, json())); };
    if (record::is_applicable(metric)) run.values[name] = {part("value"), stale, part("sum"), part("weight")};
    if (std::none_of(found.begin(), found.end(), [&](const auto& known) { return known.name == name; }))
      found.push_back({name, metric.value("unit", ""), metric.value("direction", "none")});
    if (const auto note = metric.value("note", ""); !note.empty()) run.notes[name] = note;
  }
}

Examples examples_of(const json& record) {
  Examples examples;
  const auto list = record.find("examples");
  if (list == record.end() || !list->is_array()) return examples;
  for (const auto& row : *list) {
    examples.ids.push_back(row.value("id", ""));
    if (const auto numbers = row.find("numbers"); numbers != row.end())
      for (const auto& [name, value] : numbers->items()) examples.numbers[name].push_back(record::number_or_nan(value));
  }
  std::erase_if(examples.numbers, [&](const auto& column) { return column.second.size() != examples.ids.size(); });
  return examples;
}

// Adds the components' build ids to the run's: those of the record, or today's if a replay has accepted today's code.
void add_code(const json& components, const record::PlannedPlugins& planned, bool accepted, RunResult& run) {
  for (const auto& [key, plugin] : components.items())
    run.code[key] = accepted && planned.contains(key) ? record::code_id(planned.at(key)) : record::code_id(plugin);
}

std::string conditions_of(const json& environment, const json& measured) {
  const auto mesh = environment.value("mesh", json::object());
  const int jobs = measured.value("concurrent_jobs", 1);
  return fmt::format(
      "host {}, {}, {}, mesh {}x{} {}, {} thread{} per rank, {} concurrent run{}", measured.value("host", "?"),
      environment.value("cpu", "?"), environment.value("/gpu/name"_json_pointer, environment.value("device", "?")),
      mesh.value("tensor", 1), mesh.value("data", 1), mesh.value("backend", "self"), environment.value("threads", 1),
      environment.value("threads", 1) == 1 ? "" : "s", jobs, jobs == 1 ? "" : "s");
}

Origin origin_of(const json& record) {
  const auto environment = record.value("environment", json::object());
  const auto measured = record.value("measured", json::object());
  const auto source = record.value("source", json::object());
  Origin origin;
  origin.training_code = record.value("/code/training"_json_pointer, std::string());
  origin.commit = source.value("git_commit", "");
  origin.dirty = !source.value("git_dirty", "").empty();
  origin.host = measured.value("host", "");
  origin.cpu = environment.value("cpu", "");
  origin.libtorch = environment.value("libtorch", "");
  origin.cores = measured.value("cores", 0);
  origin.conditions = conditions_of(environment, measured);
  for (const auto& data : record.value("data", json::array())) {
    const auto licence = data.value("licence", "");
    origin.data.push_back(fmt::format("{} {}{}", data.value("name", ""), data.value("sha256", "").substr(0, 12),
                                      licence.empty() ? "" : " (" + licence + ")"));
  }
  origin.data_warnings = record.value("data_warnings", std::vector<std::string>());
  return origin;
}

void add_training(const json& record, bool stale, RunResult& run, Results& results) {
  const auto measured = record.value("measured", json::object());
  const auto flops = record.value("flops", json::object());
  const auto take = [&](const char* name, const json& object, const char* key) {
    if (object.contains(key)) run.values[name] = {.value = record::number_or_nan(object[key]), .stale = stale};
  };
  take("train.parameters", record, "parameters");
  take("train.parameters_non_embedding", record, "parameters_non_embedding");
  take("train.steps", record, "steps");
  take("train.skipped_steps", record, "skipped_steps");
  take("train.tokens", record, "tokens");
  take("train.flops", flops, "six_nd");
  take("train.flops_exact", flops, "exact");
  take("train.tokens_per_second", measured, "tokens_per_second");
  take("train.seconds", measured, "seconds");
  take("train.peak_memory", measured, "peak_memory_bytes");
  add_metrics(record, "train", stale, run, results.training);
}

RunResult read_run(const record::PlanLine& line, const record::RunLayout& files, const std::string& current_code,
                   Results& results) {
  RunResult run;
  run.line = line;
  run.files = files;
  run.experiment = results.experiment;
  run.group = line.group;
  run.label = line.label;
  run.seed = line.seed;
  for (const auto& [axis, value] : line.axes.items()) run.axes[axis] = record::scalar_text(value);

  const auto& planned = line.plugins;
  bool stale = false;
  run.trained = record::has_record(files.train_record());  // an incomplete record counts as absent
  if (run.trained) {
    const auto record = read_record(files.train_record());
    run.origin = origin_of(record);
    run.steps = record::skipped_steps_of(record);
    const auto fresh = record::freshness(record, files, line, current_code);
    stale = !fresh.stale.empty();
    run.accepted_to = fresh.accepted_to;
    if (fresh.accepted_to > 0) run.origin.training_code = current_code;
    add_code(record.value("/code/plugins"_json_pointer, json::object()), planned, fresh.accepted_to > 0, run);
    add_training(record, stale, run, results);
  }
  bool complete = run.trained;
  for (const auto& evaluation : line.evaluate) {
    const auto& label = evaluation.label;
    const auto file = files.eval_record(evaluation.id);
    const bool exists = run.trained && record::has_record(file);
    run.evaluated[label] = exists;
    complete &= exists;
    if (!exists) continue;
    const auto record = read_record(file);
    const auto fresh = record::freshness(record, files, line, current_code);
    const bool other = !fresh.stale.empty();
    if (const auto library = record.value("/code/library"_json_pointer, std::string()); !library.empty())
      run.code[kEvaluationLibrary] = fresh.accepted_to > 0 ? current_code : library;
    add_code(record.value("/code/evaluator"_json_pointer, json::object()), planned, false, run);
    add_metrics(record, label, stale || other, run, results.evaluation);
    run.examples[label] = examples_of(record);
  }
  if (complete) {
    run.status = RunStatus::kDone;
  } else if (const auto state = record::read_state(files.state()); state && state->status != RunStatus::kDone) {
    run.status = state->status;
    run.diverged = state->status == RunStatus::kFailed && state->failure_class == "non_finite";
  }
  return run;
}

}  // namespace

Presence presence_of(const RunResult& run) {
  switch (run.status) {
    case RunStatus::kDone:
      return Presence::kPresent;
    case RunStatus::kFailed:
      return run.diverged ? Presence::kDiverged : Presence::kFailed;
    case RunStatus::kPruned:
      return Presence::kPruned;
    default:
      return Presence::kPending;
  }
}

Presence presence_of(const RunResult& run, const std::string& metric) {
  if (const auto found = run.values.find(metric); found != run.values.end())
    return std::isfinite(found->second.value) ? Presence::kPresent : Presence::kDiverged;
  // A run that lacks another evaluation may have this one, without this metric.
  const auto evaluation = run.evaluated.find(record::owner_of(metric));
  const bool recorded = evaluation != run.evaluated.end() ? evaluation->second : run.trained;
  return recorded || run.status == RunStatus::kDone ? Presence::kNotApplicable : presence_of(run);
}

Results read_results(const record::ExperimentLayout& experiment, const std::string& current_code) {
  if (!std::filesystem::exists(experiment.plan()))
    throw UserError(experiment.folder().string() +
                    ": the folder has no results (no plan.jsonl); 'assay run' makes them");
  Results results;
  const auto lines = record::with_current_code(record::read_plan_lines(experiment.plan()));
  results.plan_hashes = {base::sha256_of_file(experiment.plan())};
  results.experiment = experiment.folder().filename().string();
  if (!lines.empty()) results.experiment = lines[0].experiment;
  for (const auto& line : lines)
    results.runs.push_back(read_run(line, experiment.run(line.train_id), current_code, results));
  return results;
}

}  // namespace assay::compare
