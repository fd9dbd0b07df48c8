#include "record/layout.h"

#include <algorithm>
#include <string_view>

#include "base/number.h"

namespace assay::record {
namespace {

constexpr std::string_view kStep = "step-";

}  // namespace

std::string checkpoint_name(std::int64_t step) { return std::string(kStep) + std::to_string(step); }

std::optional<std::int64_t> step_of_checkpoint(const std::filesystem::path& folder) {
  const auto name = folder.filename().string();
  if (!name.starts_with(kStep)) return std::nullopt;
  const auto step = base::parse_number<std::int64_t>(std::string_view(name).substr(kStep.size()));
  return step && *step > 0 ? step : std::nullopt;
}

std::vector<std::int64_t> checkpoint_steps(const std::filesystem::path& folder) {
  std::vector<std::int64_t> steps;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(folder, absent))
    if (const auto step = step_of_checkpoint(entry.path())) steps.push_back(*step);
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

}  // namespace assay::record
