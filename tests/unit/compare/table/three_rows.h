// Three rows, one of which is the baseline.
#pragma once

#include <vector>

#include "compare/table/collect.h"
#include "unit/compare/results_builder.h"

namespace assay::testing {

inline void add_bits(ResultsBuilder& results, BuiltRun run, const std::vector<double>& values, int first_seed = 1) {
  for (size_t i = 0; i < values.size(); ++i) {
    run.seed = first_seed + static_cast<int>(i);
    results.finished(run, {{64, values[i]}});
  }
}

inline compare::CompareRequest request_of(const ResultsBuilder& results) {
  return {.experiment = results.experiment(),
          .metrics = {"lm.bits_per_byte"},
          .baseline = baseline("positional", "base"),
          .current_code = "",
          .command = "assay compare quick"};
}

// near - base: -0.1, 0.1, -0.2, 0.1, -0.1, 0.0; far - base: -0.5, -0.4, -0.6, -0.5, -0.4, -0.6.
class Three : public ::testing::Test {
 protected:
  Three() {
    add_bits(results_, {.scheme = "base"}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
    add_bits(results_, {.scheme = "near"}, {2.4, 2.6, 2.6, 2.9, 2.7, 3.1});
    add_bits(results_, {.scheme = "far"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5});
  }
  ResultsBuilder results_;
};

}  // namespace assay::testing
