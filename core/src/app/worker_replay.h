// The events of past runs, told to a tracker as if they came in, at the request of `assay export`.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace assay::app {

// Request: {plugins (of one component, tracker/NAME), tracker (a component), experiment, runs}; a run is {line (a plan
// line), run (its folder), out (the folder that the tracker takes for the run's; made)}. Answer: an empty list.
nlohmann::json worker_replay(const nlohmann::json& request);

}  // namespace assay::app
