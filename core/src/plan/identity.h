// Identity of runs: hashes of canonical JSON (sorted keys, no spaces) of everything that determines the weights.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace assay::plan {

// Labels are removed at every level. A file or folder is represented by the hash of its content, another run by its
// train id (by its group while its seed is open).
std::string canonical_json(const nlohmann::json& value);

// `train` is the "train" object of a plan line.
std::string train_id(const nlohmann::json& train);
std::string group_id(const nlohmann::json& train);  // without the seeds
std::string eval_id(const std::string& train_id, const nlohmann::json& config, const std::string& split);

// The same for many runs; their shared parts are made canonical once.
std::string canonical_evaluation(const nlohmann::json& config, const std::string& split);
std::string eval_id(const std::string& train_id, const std::string& canonical_evaluation);

class SeededIds {
 public:
  explicit SeededIds(const nlohmann::json& train);  // ignores its seeds
  std::string train_id(const nlohmann::json& seeds);
  std::string data_id(int64_t data_seed);  // data, transforms and this seed, which determine a materialised epoch

 private:
  nlohmann::json train_, data_;  // canonical
};

}  // namespace assay::plan
