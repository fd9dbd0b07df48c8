// The GPUs of this machine and how many of them a run takes, as far as this is known without CUDA.
#pragma once

#include <string>
#include <vector>

#include "launch/slots.h"
#include "record/plan_line/plan_line.h"

namespace assay::launch {

// The names in CUDA_VISIBLE_DEVICES if it is set; otherwise 0, 1, ... for as many as the driver shows.
std::vector<std::string> visible_gpus();

// The cores of the job, and its GPUs by resources.device and resources.mesh; "auto" takes one in a CUDA build if there
// is one.
SlotRequest slot_request(const record::PlanLine& plan_line, bool any_gpus);

}  // namespace assay::launch
