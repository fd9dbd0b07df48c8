// Claims on results made by the tests of verdicts.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compare/formats/format_claims.h"
#include "compare/verdicts/claims.h"
#include "unit/compare/results_builder.h"

namespace assay::testing {

// Bits per byte at length 64 of one row, by seed; null: diverged, false: not run, true: failed, "n/a": no value.
inline void add_row(ResultsBuilder& results, BuiltRun run, const std::vector<nlohmann::json>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    run.seed = static_cast<int>(i) + 1;
    if (values[i] == false) {
      results.plan(run);
    } else if (values[i] == true) {
      results.failed(run, "bug");
    } else {
      results.finished(run, {{64, values[i]}});
    }
  }
}

inline nlohmann::json claim(const std::string& inequality, const nlohmann::json& left = {{"positional", "a"}},
                            const nlohmann::json& right = {{"positional", "b"}}) {
  nlohmann::json made = {
      {"says", "It is so."}, {"metric", "lm.bits_per_byte@length=64"}, {"left", left}, {"holds", inequality}};
  if (!right.is_null()) made["right"] = right;
  return made;
}

inline compare::Judgement judged(const ResultsBuilder& results, const std::vector<nlohmann::json>& claims,
                                 const nlohmann::json& compare = nlohmann::json::object(),
                                 const compare::InterimAnalyses& interim = {}, bool is_interim = true) {
  auto read = compare::read_results(results.experiment(), "");
  return compare::judge(read,
                        {.settings = study::compare_settings_of({{"claim", claims}, {"compare", compare}}, "test"),
                         .results_when_stated = {},
                         .interim = interim,
                         .is_interim = is_interim,
                         .command = "assay claims quick"});
}

// a - b is -0.5, -0.4, -0.6, -0.5, -0.4, -0.6: mean -0.5, standard error sqrt(0.04 / 5 / 6) = 0.0365148.
class Six : public ::testing::Test {
 protected:
  Six() {
    add_row(results_, {.scheme = "a"}, {2.0, 2.1, 2.2, 2.3, 2.4, 2.5});
    add_row(results_, {.scheme = "b"}, {2.5, 2.5, 2.8, 2.8, 2.8, 3.1});
  }
  ResultsBuilder results_;
};

// Returns a line of the first claim: its first pair, the decision, or remarks.
inline std::string line_of(const compare::Judgement& judgement, std::size_t line = 0) {
  return compare::claim_lines(judgement.claims.at(0), judgement.level).at(line);
}

}  // namespace assay::testing
