// What makes two runs the same run: hashes of canonical JSON (sorted keys, no spaces) of what decides the weights.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace assay::config {

// Labels removed at every level; a file or folder stands as the hash of its content, another run as its train id (as
// its group while its seed is open).
std::string canonical_json(const nlohmann::json& value);

// `train` is the "train" object of a plan line.
std::string train_id(const nlohmann::json& train);
std::string group_id(const nlohmann::json& train);  // without the seeds
std::string data_id(
    const nlohmann::json& train);  // data, transforms and seeds.data: what a materialised epoch depends on
std::string eval_id(const std::string& train_id, const nlohmann::json& config, const std::string& split);

}  // namespace assay::config
