// `assay check`: runs the conformance kit on a component of a plugin. The kit is a library of its own,
// libassay_check.so, because no run needs it; the worker loads it.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// The request is {"files": [plugin files, the first wins], "kind", "name", "given": {"use": .., ..}}. Writes JSON
// objects to standard output, one per line: {"begins": property, "component"} before each, {"component", "property",
// "fault"} (fault is "" when it holds) after, {"done": true} at the end. The caller must enforce a time limit, because
// deadlocked ranks never finish.
using WorkerCheck = void(const nlohmann::json& request);
constexpr const char* kWorkerCheck = "assay_worker_check";  // the name of this function in the library

}  // namespace assay::app
