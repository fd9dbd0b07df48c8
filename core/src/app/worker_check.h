// The conformance kit on components of a plugin, for `assay check`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay {

// {"files": [plugin files, the first wins], "components": [{"kind", "name", "given": {"use": .., ..}}]}. Writes a JSON
// object a line to standard output: {"begins": property, "component"} before each, {"component", "property", "fault"}
// ("" when it holds) after.
void worker_check(const nlohmann::json& request);

}  // namespace assay
