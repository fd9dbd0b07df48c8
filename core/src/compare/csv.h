// Lines of comma-separated values (RFC 4180).
#pragma once

#include <string>
#include <vector>

namespace assay {

// With its line feed; a field that holds a comma, a quote or a line break is quoted.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace assay
