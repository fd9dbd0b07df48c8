// What decides a run's weights, the "train" of a plan line. Members have the names of the JSON's keys; JSON stays what
// the core passes on unread: a component's own configuration ("use" and its parameters), files and other runs.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace assay::record {

// An entry of a list of components: transforms, callbacks, trackers, exchanges.
struct ListedComponent {
  std::string label;
  nlohmann::json config;  // without the label
};

struct ListedObjective {
  std::string label;
  double weight = 1;
  nlohmann::json config;  // without label and weight
};

struct DataConfig {
  nlohmann::json dataset, tokenizer;
  std::int64_t context = 0;  // length of a training sequence
};

// Where weights start from instead of draws.
struct InitConfig {
  nlohmann::json from;     // a run (record/plan_line/run_input.h); null: none
  nlohmann::json weights;  // a file; null: none
  std::string load = "weights";
  std::optional<std::vector<std::string>> ignore = {};
};

struct TrainSettings {
  std::int64_t steps = 0, batch = 0;  // batch: rows of all replicas
  double clip_norm = 1;               // 0: gradients are not clipped
  std::string precision = "fp32", non_finite = "stop";
  std::optional<double> skip_loss_z = {}, skip_norm_z = {};
};

struct Seeds {
  std::int64_t init = 0, data = 0;
};

// What decides the weights: a train id is the hash of this, a group of this without the seeds.
struct TrainConfig {
  DataConfig data;
  nlohmann::json model;
  std::vector<ListedObjective> objectives;
  std::vector<ListedComponent> transforms;
  nlohmann::json optimizer, scheduler;
  std::vector<ListedComponent> callbacks;
  std::optional<InitConfig> init = {};
  TrainSettings train;
  Seeds seeds;

  // Throws UserError that names the key, below `where` ("train"): one that is missing, unknown or of the wrong type. No
  // unknown key is passed over, for it may decide weights.
  static TrainConfig from_json(nlohmann::json value, const std::string& where);
  nlohmann::json to_json() const;
  // One member as its JSON: "model", "objectives"; null where there is none.
  nlohmann::json section(const std::string& name) const;
};

// Lists of components as JSON: an entry is the component's configuration with its label.
std::vector<ListedComponent> listed_from_json(nlohmann::json entries, const std::string& where);
nlohmann::json to_json(const std::vector<ListedComponent>& entries);

// Every configuration that may name files and other runs, in the order of the keys in the JSON.
void for_each_config(TrainConfig& train, const std::function<void(nlohmann::json&)>& visit);
void for_each_config(const TrainConfig& train, const std::function<void(const nlohmann::json&)>& visit);

// The resolved inputs (record/plan_line/run_input.h) of the training.
std::vector<nlohmann::json> inputs_in(const TrainConfig& train);

}  // namespace assay::record
