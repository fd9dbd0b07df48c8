// Steps that changed nothing: loss or gradients were not finite, or one of them was a spike.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "record/layout.h"

namespace assay::record {

struct SkippedSteps {
  std::int64_t skipped = 0, steps = 0;
};

// Of a training's record.
SkippedSteps skipped_steps_of(const nlohmann::json& train_record);
// Of a run; none while it has no record that can be read.
SkippedSteps skipped_steps_of(const RunLayout& run);

std::string text_of(const SkippedSteps& steps);  // "5 of 6 steps skipped"

}  // namespace assay::record
