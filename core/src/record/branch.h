// Runs that continue another run, their trunk, from one of its steps instead of training the same steps again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::record {

struct Branch {
  std::string run;        // train id
  std::int64_t step = 0;  // updates that the trunk has done when the branch leaves it
};

// "<train id>:36,<train id>:72", and the inverse. Throws UserError for other text.
std::string text_of(const std::vector<Branch>& branches);
std::vector<Branch> parse_branches(std::string_view text);

}  // namespace assay::record
