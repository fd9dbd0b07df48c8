// A run that is an input of another run, as a value inside a plan line.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace assay::record {

// A resolved input has the form {experiment, group, path, train_id} in a run's configuration. While the seed is not yet
// fixed, it has the form {experiment, group, path, seeds: {"1": train id, ...}}, where `path` is the folder of all
// runs.
bool is_run_input(const nlohmann::json& value);

// Returns the value with every open input resolved for one seed.
nlohmann::json with_inputs_for_seed(const nlohmann::json& value, int64_t seed);

// Returns every resolved input inside the value.
std::vector<nlohmann::json> inputs_in(const nlohmann::json& value);

}  // namespace assay::record
