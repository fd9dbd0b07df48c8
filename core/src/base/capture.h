// The standard output of a short-lived program; no shell in between, so any argument is safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace assay::base {

// Nothing when the program cannot be started or does not exit with 0. Its standard error is dropped, or where it goes
// into `errors`, which also says why a program could not be started.
std::optional<std::string> capture_output(const std::vector<std::string>& command, std::string* errors = nullptr);

}  // namespace assay::base
