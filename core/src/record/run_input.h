// A run that another run takes as an input, as a value inside a plan line.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace assay::record {

// A resolved input stands in a run's configuration as {experiment, group, path, train_id}. While the seed is open it is
// {experiment, group, path, seeds: {"1": train id, ...}} instead, `path` being the folder of all runs.
bool is_run_input(const nlohmann::json& value);

// The value with every open input settled for one seed.
nlohmann::json with_inputs_of(const nlohmann::json& value, int64_t seed);

// Every settled input inside the value.
std::vector<nlohmann::json> inputs_in(const nlohmann::json& value);

}  // namespace assay::record
