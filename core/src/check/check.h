// The conformance kit: what every component of a kind must keep, tried on the component alone and in tiny runs with
// stand-ins for everything else (stand_ins.h). For `assay check` and for the tests of plugins.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "check/finding.h"
#include "loader/registry.h"

namespace assay::check {

// One component of the registry, which must know the stand-ins (Registry::add). `given`: what it cannot be made
// without, as in an experiment. Nothing is thrown: what a component throws is a finding.
void check_component(const loader::Registry& registry, const std::string& kind, const std::string& name,
                     const nlohmann::json& given, const Observer& observer);

}  // namespace assay::check
