// Computes how many times the runs of a plan read their training text.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "worker/client.h"

namespace assay::plan {

using ModelSizes = std::map<std::string, worker::ModelSize>;  // by group

int64_t tokens_per_step(const nlohmann::json& line);
int64_t tokens_of(const nlohmann::json& line);  // on which the run trains

// Number of tokens on which the run trains, divided by the tokens of its training text before transforms; 0 if unknown
// or without training.
double epochs_of(const ModelSizes& sizes, const nlohmann::json& line);

// Warnings about rows that read their text more than four times, or more than once per batch.
std::vector<std::string> epoch_warnings(const std::vector<nlohmann::json>& lines, const ModelSizes& sizes);

}  // namespace assay::plan
