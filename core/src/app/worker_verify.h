// Compares meshes with a single rank, for `assay verify-mesh`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// Request: {line (a plan line), precisions, meshes (as resources.mesh), steps, contexts (a folder)}. Response: a list
// of {precision, mesh, refused} or {precision, mesh, step, loss, gradients, weights}.
nlohmann::json worker_verify(const nlohmann::json& request);

}  // namespace assay::app
