// Runs of a plan as the command line names them: by a selector (positional=alibi,t5 seed=1), or by the beginning of a
// train id.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sweep/selector.h"

namespace assay::cli {

class RunChoice {
 public:
  // `origin` stands for a file in messages ("--only"). Throws ConfigErrors when the text is neither.
  RunChoice(std::string text, std::string origin);

  // Before the first match: among which runs it chooses. Throws ConfigErrors for a value that none of them has.
  void settle(const std::vector<const nlohmann::json*>& plan_lines);
  bool matches(const nlohmann::json& plan_line) const;
  // Settles. Throws ConfigErrors or UserError, with what there is, when no run matches.
  std::vector<nlohmann::json> among(const std::vector<nlohmann::json>& plan_lines);

 private:
  std::string text_, origin_;
  std::optional<sweep::Selector> selector_;
};

}  // namespace assay::cli
