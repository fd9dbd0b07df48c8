// The GPUs of this machine and how many of them a run takes, as far as can be told without CUDA.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "launch/slots.h"

namespace assay::launch {

// As CUDA_VISIBLE_DEVICES names them, where it is set; else 0, 1, ... for as many as the driver shows.
std::vector<std::string> visible_gpus();

// Cores of the job, and GPUs by resources.device and resources.mesh; "auto" takes one in a CUDA build where there is
// one.
SlotsAsked slots_asked(const nlohmann::json& plan_line, bool any_gpus);

}  // namespace assay::launch
