// Selects runs of a plan by a selector (positional=alibi,t5 seed=1) or by the beginning of a train id.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "record/plan_line/plan_line.h"
#include "sweep/selector.h"

namespace assay::cli {

class RunChoice {
 public:
  // `origin` takes the place of a file in messages ("--only"). Throws ConfigErrors when the text is neither.
  RunChoice(std::string text, std::string origin);

  // Must be called before the first match, with the runs to choose among. Throws ConfigErrors for a value that none of
  // them has.
  void resolve(const std::vector<const record::PlanLine*>& plan_lines);
  bool matches(const record::PlanLine& plan_line) const;
  // Calls resolve. Throws ConfigErrors or UserError, with the existing values, when no run matches.
  std::vector<record::PlanLine> among(const std::vector<record::PlanLine>& plan_lines);

 private:
  std::string text_, origin_;
  std::optional<sweep::Selector> selector_;
};

}  // namespace assay::cli
