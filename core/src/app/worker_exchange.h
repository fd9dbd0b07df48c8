// Weights to and from the folders of other libraries, at the request of `assay export` and `assay import`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// Request: {line (a plan line), weights (a file), exchange (a component), out (a folder that is made)}. Answer: the
// names of the files written.
nlohmann::json worker_export(const nlohmann::json& request);

// Request: {plugins, exchange, from (a folder), out}. Writes weights.safetensors; answer: one of {model, vocabulary},
// in a list.
nlohmann::json worker_import(const nlohmann::json& request);

}  // namespace assay::app
