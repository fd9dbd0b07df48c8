// Calls a verb as the command line does and captures its output.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/shared/cli.h"

namespace assay::testing {

struct Called {
  int code;
  std::string out, err;
};

// Runs `assay words...`.
inline Called call(const std::vector<std::string>& words) {
  std::vector<const char*> argv{"assay"};
  for (const auto& word : words) argv.push_back(word.c_str());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int code = cli::main(static_cast<int>(argv.size()), argv.data());
  const auto out = ::testing::internal::GetCapturedStdout();
  return {code, out, ::testing::internal::GetCapturedStderr()};
}

}  // namespace assay::testing
