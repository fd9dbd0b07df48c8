// What makes two runs the same run: hashes of canonical JSON (sorted keys, no spaces) of what decides the weights.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace assay::plan {

// Labels removed at every level; a file or folder stands as the hash of its content, another run as its train id (as
// its group while its seed is open).
std::string canonical_json(const nlohmann::json& value);

// `train` is the "train" object of a plan line.
std::string train_id(const nlohmann::json& train);
std::string group_id(const nlohmann::json& train);  // without the seeds
std::string eval_id(const std::string& train_id, const nlohmann::json& config, const std::string& split);

// The same of many runs, with what they share made canonical once.
std::string canonical_evaluation(const nlohmann::json& config, const std::string& split);
std::string eval_id(const std::string& train_id, const std::string& canonical_evaluation);

class SeededIds {
 public:
  explicit SeededIds(const nlohmann::json& train);  // its seeds are not looked at
  std::string train_id(const nlohmann::json& seeds);
  std::string data_id(int64_t data_seed);  // data, transforms and this seed: what a materialised epoch depends on

 private:
  nlohmann::json train_, data_;  // canonical
};

}  // namespace assay::plan
