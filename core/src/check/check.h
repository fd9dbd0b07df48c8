// The conformance kit: checks the contract of every kind, on the component alone and in tiny runs with stand-ins for
// all other components (stand_ins.h). Used by `assay check` and by the tests of plugins.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "check/finding.h"
#include "loader/registry.h"

namespace assay::check {

// Checks one component of the registry, which must contain the stand-ins (Registry::add). `given`: its required
// parameters, as in an experiment. Exceptions of the component become findings and are not thrown.
void check_component(const loader::Registry& registry, const std::string& kind, const std::string& name,
                     const nlohmann::json& given, const Observer& observer);

}  // namespace assay::check
