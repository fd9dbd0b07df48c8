// The conformance kit on a component of a plugin, for `assay check`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// {"files": [plugin files, the first wins], "kind", "name", "given": {"use": .., ..}}. Writes a JSON object a line to
// standard output: {"begins": property, "component"} before each, {"component", "property", "fault"} ("" when it holds)
// after, {"done": true} at the end. The caller has the clock: ranks that wait for one another wait for ever.
void worker_check(const nlohmann::json& request);

}  // namespace assay::app
