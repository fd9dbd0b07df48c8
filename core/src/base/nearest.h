// The name somebody probably meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::base {

// The candidate at the smallest edit distance (a swap of neighbours counts one), if it is small against the length.
std::optional<std::string> nearest_name(std::string_view given, const std::vector<std::string>& candidates);

// "; did you mean 'x'?", or "; <otherwise>a, b, c" when nothing is near, or "" without candidates.
std::string suggestion(std::string_view given, const std::vector<std::string>& candidates, std::string_view otherwise);

}  // namespace assay::base
