// Runs the conformance kit on a component of a plugin, for `assay check`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// {"files": [plugin files, the first wins], "kind", "name", "given": {"use": .., ..}}. Writes JSON objects to standard
// output, one per line: {"begins": property, "component"} before each, {"component", "property", "fault"} (fault is ""
// when it holds) after, {"done": true} at the end. The caller must enforce a time limit, because deadlocked ranks never
// finish.
void worker_check(const nlohmann::json& request);

}  // namespace assay::app
