// compare.json: the [compare] section that a plan was made with, so that results can be compared by their name alone.
#pragma once

#include <filesystem>
#include <string>

#include "config/compare_settings.h"

namespace assay {

// {"metrics": [names], "baseline": {key: value, list of values, or condition}}
std::string compare_settings_text(const config::CompareSettings& settings);

// Nothing is set where there is no such file. Throws UserError when it is spoilt.
config::CompareSettings read_saved_compare_settings(const std::filesystem::path& file);

}  // namespace assay
