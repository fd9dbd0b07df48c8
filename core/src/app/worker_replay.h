// Sends the events of past runs to a tracker as if they were live, for `assay export`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// Request: {plugins (of one component, tracker/NAME), tracker (a component), experiment, runs}; a run is {line (a plan
// line), run (its folder), out (the folder that the tracker uses as the run's folder; created)}. Response: an empty
// list.
nlohmann::json worker_replay(const nlohmann::json& request);

}  // namespace assay::app
