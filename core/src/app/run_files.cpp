#include "app/run_files.h"

#include <nlohmann/json.hpp>

#include "app/planned_code.h"
#include "base/files.h"
#include "loader/libtorch.h"
#include "record/code.h"
#include "record/eval_record.h"
#include "record/events.h"
#include "record/provenance.h"
#include "record/train_record.h"
#include "run/checkpoint/checkpoint.h"

namespace assay::app {
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// Serialises the code identity. Shadowed plugins on the plugin path do not affect a run.
std::string text_of(json code) {
  if (code.contains("plugins"))
    for (auto& plugin : code["plugins"]) plugin.erase("shadows");
  return code.dump();
}

// The environment in which the weights of a record were trained, in the form of
// Progress::training_segments.
json training_segments_of(const json& environment) {
  if (environment.contains("continued")) return environment["continued"];
  if (!environment.contains("mesh")) return json::array();
  return json::array({run::training_segment(environment["mesh"], environment.value("threads", 0),
                                            environment.value("device", ""), 0)});
}

}  // namespace

void write_records(const record::PlanLine& line, const record::RunLayout& layout, const run::RunReport& report,
                   const std::string& started, double seconds) {
  record::TrainResult result;
  result.steps = report.steps;
  result.skipped_steps = report.skipped;
  result.tokens = report.tokens;
  result.parameters = report.parameters;
  result.parameters_non_embedding = report.parameters_non_embedding;
  result.flops_six_nd = report.six_nd;
  result.flops_exact = report.exact_flops;
  if (const auto& loss = report.last_loss) result.metrics = {{"loss", *loss, *loss, 1.0, "nats/token", "lower"}};
  for (const auto& [name, value] : report.last_metrics)
    result.metrics.push_back({name, value, value, 1.0, "", "none", {}});
  result.training_code = training_code();
  result.libtorch = loader::loaded_libtorch();
  result.device = report.device;
  result.gpu = report.gpu;
  result.training_segments = report.training_segments;
  result.weights_sha256 = report.weights_sha256;
  for (const auto& source : report.sources) result.data.push_back({source.name, source.sha256, source.licence});
  result.data_counts = report.data_counts;
  result.data_warnings = report.data_warnings;
  result.measured = {seconds,
                     report.train_seconds,
                     report.first_step_at,
                     report.train_seconds > 0 ? static_cast<double>(report.tokens) / report.train_seconds : 0,
                     {{"data", report.phases.data},
                      {"forward", report.phases.forward},
                      {"backward", report.phases.backward},
                      {"optimizer", report.phases.optimizer},
                      {"evaluation", report.phases.evaluation}},
                     record::peak_memory_bytes(),
                     started,
                     report.trunk};
  // The train record is written first: without it, an evaluation record could belong to weights trained by different
  // code.
  if (!record::has_record(layout.train_record())) {
    fs::remove_all(layout.eval_records());
    record::write_record(layout.train_record(), record::train_record(line, result));
  }
  for (const auto& evaluation : report.evaluations)
    for (const auto& entry : line.evaluate)
      if (entry.id == evaluation.id && !record::has_record(layout.eval_record(evaluation.id)))
        record::write_record(layout.eval_record(evaluation.id),
                             record::eval_record(line, entry,
                                                 {evaluation.step, evaluation.metrics, evaluation.examples,
                                                  evaluation.seconds, started, training_code()}));
}

fs::path contexts_of(const record::ExperimentLayout& experiment) {
  return experiment.folder().parent_path() / ".cache" / "contexts";
}

void remove_checkpoints(const record::PlanLine& line, const record::RunLayout& layout) {
  if (line.checkpoint.keep != "all") fs::remove_all(layout.checkpoints());
}

std::string training_code_of(const record::PlanLine& line) {
  return text_of({{"training", training_code()}, {"plugins", record::training_plugins(line)}});
}

run::Attempt attempt_at(const record::PlanLine& line, const record::RunLayout& layout,
                        const record::ExperimentLayout& experiment, int number) {
  run::Attempt attempt;
  attempt.run = layout.folder();
  attempt.contexts = contexts_of(experiment);
  attempt.number = number;
  attempt.library = training_code();
  attempt.code = training_code_of(line);
  for (const auto& event : record::read_events(layout.events())) {
    if (event["type"] != "evaluate") continue;
    for (const auto& entry : line.evaluate)  // events of older runs have only a label
      if (event.contains("id") ? event["id"] == entry.id : event.value("label", "") == entry.label)
        attempt.evaluated_during_training.insert({event.value("step", int64_t{0}), entry.id});
  }
  if (!record::has_record(layout.train_record())) return attempt;
  const auto record = json::parse(base::read_file(layout.train_record()));
  attempt.trained = {record.value("weights_sha256", ""), text_of(record.value("code", json::object())),
                     training_segments_of(record.value("environment", json::object()))};
  for (const auto& entry : line.evaluate)
    if (record::has_record(layout.eval_record(entry.id))) attempt.evaluated.insert(entry.id);
  return attempt;
}

std::vector<std::string> remove_torn_records(const record::PlanLine& line, const record::RunLayout& layout) {
  std::vector<fs::path> files{layout.train_record()};
  for (const auto& entry : line.evaluate) files.push_back(layout.eval_record(entry.id));
  std::vector<std::string> notes;
  for (const auto& file : files) {
    if (!fs::exists(file) || record::has_record(file)) continue;
    fs::remove(file);
    notes.push_back(file.string() + ": the record is corrupt; it is written again");
  }
  return notes;
}

}  // namespace assay::app
