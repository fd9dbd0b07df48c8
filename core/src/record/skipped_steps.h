// Steps whose update was skipped because the loss or the gradient norm was not finite or spiked.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "record/layout.h"

namespace assay::record {

struct SkippedSteps {
  std::int64_t skipped = 0, steps = 0;
};

// From the record of a training.
SkippedSteps skipped_steps_of(const nlohmann::json& train_record);
// Of a run; zero while it has no readable record.
SkippedSteps skipped_steps_of(const RunLayout& run);

std::string text_of(const SkippedSteps& steps);  // "5 of 6 steps skipped"

}  // namespace assay::record
