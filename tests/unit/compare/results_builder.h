// Small results folders with known numbers, written as the worker writes them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "record/layout.h"
#include "record/state.h"
#include "sweep/selector.h"
#include "unit/plan_line.h"
#include "unit/temporary_folder.h"

namespace assay::testing {

// One planned run; by default it is planned and has no results.
struct BuiltRun {
  std::string scheme;
  int seed = 1;
  std::string training_code = "c0de000000000001";
  std::string plugin_code = "aa";
  std::string host = "h1", gpu = {};
  double tokens_per_second = 1000;
  int64_t steps = 1000, skipped_steps = 0;
  nlohmann::json parameters = 347136;
  nlohmann::json more_axes = nlohmann::json::object();    // besides positional
  nlohmann::json more_record = nlohmann::json::object();  // of the training record, over what is here
  nlohmann::json train = nlohmann::json::object();        // of the plan line, over the defaults

  nlohmann::json axes() const {
    nlohmann::json all = {{"positional", scheme}};
    all.update(more_axes);
    return all;
  }
  std::string row() const {
    std::string text;
    for (const auto& [axis, value] : more_axes.items()) text += " " + axis + "=" + value.dump();
    return scheme + text;
  }
  std::string id() const { return row() + std::to_string(seed); }
};

inline sweep::Selector baseline(const std::string& key, const nlohmann::json& wanted) {
  return {{{document::canonical_path(document::split_key(key)), key, wanted, {}}}, {}};
}

class ResultsBuilder {
 public:
  explicit ResultsBuilder(std::string name = "quick") : name_(std::move(name)) {}
  record::ExperimentLayout experiment() const { return record::ExperimentLayout(folder_.path() / name_); }

  void plan(const BuiltRun& run) {
    plan_ += plan_line({{"experiment", name_},
                        {"train_id", run.id()},
                        {"group", "group " + run.row()},
                        {"label", "positional=" + run.row()},
                        {"seed", run.seed},
                        {"axes", run.axes()},
                        {"train", run.train},
                        {"plugins", {{"positional/" + run.scheme, {{"build_id", "aa"}}}}},
                        {"evaluate", {{{"id", "e-" + run.id()}, {"label", "lm"}}}}})
                 .text() +
             "\n";
    folder_.write(name_ + "/plan.jsonl", plan_);
  }
  void train(const BuiltRun& run) {
    nlohmann::json record = {
        {"schema", 1},
        {"parameters", run.parameters},
        {"steps", run.steps},
        {"skipped_steps", run.skipped_steps},
        {"tokens", 2000896},
        {"flops", {{"six_nd", 4.17e12}}},
        {"metrics", {{{"name", "loss"}, {"value", 1.5}, {"unit", "nats"}, {"direction", "lower"}}}},
        {"code",
         {{"training", run.training_code},
          {"plugins", {{"positional/" + run.scheme, {{"build_id", run.plugin_code}}}}}}},
        {"environment",
         {{"cpu", "CPU X"},
          {"device", "cpu"},
          {"libtorch", "2.11.0"},
          {"threads", 1},
          {"mesh", {{"tensor", 2}, {"data", 1}, {"backend", "threads"}}}}},
        {"source", {{"git_commit", "0123456789abcdef"}, {"git_dirty", ""}}},
        {"data", {{{"name", "austen"}, {"sha256", "feedfacefeedface"}, {"licence", "public domain"}}}},
        {"measured",
         {{"host", run.host},
          {"cores", 2},
          {"concurrent_jobs", 1},
          {"seconds", 10.0},
          {"tokens_per_second", run.tokens_per_second},
          {"peak_memory_bytes", 104857600}}}};
    if (!run.gpu.empty()) record["environment"]["gpu"]["name"] = run.gpu;
    record.update(run.more_record);
    folder_.write(name_ + "/runs/" + run.id() + "/train.json", record.dump());
  }
  // Bits per byte by length; null where a value is not finite, "n/a" where the metric does not apply to the model.
  void evaluate(const BuiltRun& run, const std::map<int, nlohmann::json>& by_length,
                const std::map<int, std::string>& notes = {}) {
    auto metrics = nlohmann::json::array();
    for (const auto& [length, value] : by_length)
      metrics.push_back({{"name", "bits_per_byte"},
                         {"value", value == "n/a" ? nlohmann::json() : value},
                         {"sum", value == "n/a" ? nlohmann::json(0.0) : value},
                         {"unit", "bits/byte"},
                         {"direction", "lower"},
                         {"coordinates", {{"length", length}}}});
    for (auto& metric : metrics)
      if (const auto note = notes.find(metric["coordinates"]["length"]); note != notes.end())
        metric["note"] = note->second;
    write_evaluation(run, metrics, nlohmann::json::array());
  }
  // One metric with its sum and weight, and its examples.
  void evaluate_parts(const BuiltRun& run, int length, double sum, double weight, const nlohmann::json& examples) {
    const nlohmann::json metric = {{"name", "bits_per_byte"},
                                   {"value", sum / weight},
                                   {"sum", sum},
                                   {"weight", weight},
                                   {"direction", "lower"},
                                   {"unit", "bits/byte"},
                                   {"coordinates", {{"length", length}}}};
    write_evaluation(run, nlohmann::json::array({metric}), examples);
  }
  // Two documents, d1 and d2, with weights 2 and 4, and two seeds: seed s scores `first` * s and `second` * s nats on
  // them; the metric is in half nats.
  void two_documents(const std::string& scheme, double first, double second) {
    for (int seed = 1; seed <= 2; ++seed) {
      const BuiltRun run{.scheme = scheme, .seed = seed};
      plan(run);
      train(run);
      const nlohmann::json examples = {{{"id", "d1"}, {"numbers", {{"nll@length=64", first * seed}, {"bytes", 2}}}},
                                       {{"id", "d2"}, {"numbers", {{"nll@length=64", second * seed}, {"bytes", 4}}}}};
      evaluate_parts(run, 64, 2 * (first + second) * seed, 6, examples);
    }
  }
  void write_events(const BuiltRun& run, const std::string& lines) {
    folder_.write(name_ + "/runs/" + run.id() + "/events.jsonl", lines);
  }
  void finished(const BuiltRun& run, const std::map<int, nlohmann::json>& by_length) {
    plan(run);
    train(run);
    evaluate(run, by_length);
  }
  void failed(const BuiltRun& run, const std::string& failure_class) {
    ended(run, record::RunStatus::kFailed, failure_class);
  }
  void pruned(const BuiltRun& run) { ended(run, record::RunStatus::kPruned, ""); }

 private:
  void ended(const BuiltRun& run, record::RunStatus status, const std::string& failure_class) {
    plan(run);
    record::State state;
    state.status = status;
    state.reason = "it broke";
    state.failure_class = failure_class;
    std::filesystem::create_directories(experiment().run(run.id()).folder());
    record::write_state(experiment().run(run.id()).state(), state);
  }
  void write_evaluation(const BuiltRun& run, const nlohmann::json& metrics, const nlohmann::json& examples) const {
    const nlohmann::json record = {{"schema", 1},
                                   {"metrics", metrics},
                                   {"examples", examples},
                                   {"code", {{"evaluator", nlohmann::json::object()}}}};
    folder_.write(name_ + "/runs/" + run.id() + "/eval/e-" + run.id() + ".json", record.dump());
  }

  std::string name_;
  TemporaryFolder folder_;
  std::string plan_;
};

}  // namespace assay::testing
