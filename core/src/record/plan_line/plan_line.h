// One line of plan.jsonl: everything about one run that is decided before it starts (results/README.md). Members have
// the names of the JSON's keys; JSON stays what train_config.h leaves as JSON, and the values of swept keys.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "record/plan_line/train_config.h"

namespace assay::record {

struct MeshConfig {
  int tensor = 1, data = 1;
  bool sequence_parallel = false;
  std::string backend = "self";
  std::optional<bool> check_calls = {};
  std::optional<std::vector<std::string>> mpirun = {};

  int ranks() const { return tensor * data; }
  // Whether the ranks are processes, which mpirun starts. Ranks with a GPU each are threads on one host, and processes
  // where mpirun gets arguments, which name several hosts.
  bool has_processes() const { return backend == "mpi" || (backend == "nccl" && mpirun); }
  static MeshConfig from_json(nlohmann::json value, const std::string& where);
  nlohmann::json to_json() const;
};

struct Resources {
  MeshConfig mesh;
  std::string device = "auto";
  int threads = 1;               // OpenMP threads per rank
  std::int64_t micro_batch = 1;  // rows per replica that are in memory at once
  std::optional<std::int64_t> check_replicas_every = {};

  int cores() const { return threads * mesh.ranks(); }  // that the run keeps busy
  static Resources from_json(nlohmann::json value, const std::string& where);
  nlohmann::json to_json() const;
};

struct PlannedEvaluation {
  std::string label, id;
  std::int64_t every = 0;  // steps; 0: at the end only
  nlohmann::json config;
  std::string split;

  nlohmann::json to_json() const;
};

// What [train] asked for.
struct Budget {
  std::string kind = "steps";  // steps, tokens, flops, tokens_per_parameter
  double target = 0;

  static Budget from_json(nlohmann::json value, const std::string& where);
  nlohmann::json to_json() const;
};

struct CheckpointSettings {
  std::int64_t every = 0;        // steps; 0: none on the way
  std::string keep = "weights";  // weights, all, none

  static CheckpointSettings from_json(nlohmann::json value, const std::string& where);
};

// A plugin file that comes later on the plugin path and has the same component.
struct ShadowedPlugin {
  std::string plugin, version, file, sha256;
};

// The plugin that a component of the run comes from.
struct PlannedPlugin {
  std::string plugin, version, file, sha256;
  std::optional<std::string> build_id = {};
  std::vector<std::string> roles;  // train, evaluate, watch, export, input; none: all but the last
  std::vector<ShadowedPlugin> shadows;

  nlohmann::json to_json() const;
};
using PlannedPlugins = std::map<std::string, PlannedPlugin>;  // by "kind/name"
PlannedPlugins plugins_from_json(nlohmann::json value, const std::string& where);
nlohmann::json to_json(const PlannedPlugins& plugins);

// The experiment's file and the tree that it was planned in.
struct PlanOrigin {
  std::string file, sha256;
  std::optional<std::string> git_commit = {}, git_dirty = {};

  nlohmann::json to_json() const;
};

struct PlanLine {
  static constexpr int kSchema = 1;

  std::string experiment, train_id, group, label;
  nlohmann::json axes = nlohmann::json::object();  // name of a swept key: value, or its label
  std::int64_t seed = 0;
  std::string data_id;
  TrainConfig train;
  std::vector<PlannedEvaluation> evaluate;
  std::vector<ListedComponent> trackers;
  std::vector<ListedComponent> exchanges;  // formats that the run must be exportable to
  Resources resources;
  Budget budget;
  std::int64_t log_every = 10;
  CheckpointSettings checkpoint;
  PlannedPlugins plugins;
  PlanOrigin source;

  std::int64_t steps() const { return train.train.steps; }
  std::int64_t tokens_per_step() const { return train.train.batch * train.data.context; }
  std::int64_t tokens() const { return steps() * tokens_per_step(); }  // that the run trains on

  // Throws UserError: another schema, or a key that is missing, unknown or of the wrong type.
  static PlanLine from_json(nlohmann::json line);
  nlohmann::json to_json() const;
  // As in plan.jsonl. File names need not be UTF-8; what is not is replaced.
  std::string text() const;
};

// The resolved inputs (record/plan_line/run_input.h) of evaluations.
std::vector<nlohmann::json> inputs_in(const std::vector<PlannedEvaluation>& evaluations);

}  // namespace assay::record
