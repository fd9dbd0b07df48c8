// The specification of a run's materialised epochs, including their key.
#pragma once

#include <filesystem>
#include <string>

#include "data/training_data.h"
#include "record/plan_line/plan_line.h"
#include "run/assemble.h"

namespace assay::run {

// library: build id of this library, whose code reads, transforms and packs the text.
data::DataSpec data_spec(const Assembled& run, const record::PlanLine& plan_line, const std::string& library,
                         const std::filesystem::path& contexts);

}  // namespace assay::run
