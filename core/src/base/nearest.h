// Finds the name that the user probably meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::base {

// Returns the candidate at the smallest edit distance (a transposition counts as one edit), if the distance is small
// relative to the length.
std::optional<std::string> nearest_name(std::string_view given, const std::vector<std::string>& candidates);

// "; did you mean 'x'?", or "; <otherwise>a, b, c" when no candidate is close, or "" without candidates.
std::string suggestion(std::string_view given, const std::vector<std::string>& candidates, std::string_view otherwise);

}  // namespace assay::base
