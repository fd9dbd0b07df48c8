#include "record/skipped_steps.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"

namespace assay::record {

SkippedSteps skipped_steps_of(const nlohmann::json& train_record) {
  return {train_record.value("skipped_steps", std::int64_t{0}), train_record.value("steps", std::int64_t{0})};
}

SkippedSteps skipped_steps_of(const RunLayout& run) {
  if (!std::filesystem::exists(run.train_record())) return {};
  const auto record = nlohmann::json::parse(base::read_file(run.train_record()), nullptr, /*allow_exceptions=*/false);
  return record.is_object() ? skipped_steps_of(record) : SkippedSteps{};
}

std::string text_of(const SkippedSteps& steps) {
  return std::to_string(steps.skipped) + " of " + std::to_string(steps.steps) + " steps skipped";
}

}  // namespace assay::record
