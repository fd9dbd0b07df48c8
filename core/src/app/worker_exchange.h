// Exports and imports weights in the formats of other libraries, for `assay export` and `assay import`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// Request: {line (a plan line), weights (a file), exchange (a component), out (a folder to create)}. Response: the
// names of the written files.
nlohmann::json worker_export(const nlohmann::json& request);

// Request: {plugins, exchange, from (a folder), out}. Writes weights.safetensors. Response: a list with one {model,
// vocabulary}.
nlohmann::json worker_import(const nlohmann::json& request);

}  // namespace assay::app
