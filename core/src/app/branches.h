// Runs that leave a run at a step: each gets its state and its events up to there, as if it had trained them itself.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "record/branch.h"
#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::app {

class Branches {
 public:
  // lines: of a plan, among them those of the branches; others are ignored.
  Branches(const record::ExperimentLayout& experiment, const record::PlanLine& trunk,
           const std::vector<record::Branch>& branches, const std::vector<record::PlanLine>& lines);

  std::set<std::int64_t> steps() const;

  // Called when the trunk has a checkpoint of this step and its events up to it. A branch that runs, is further, is
  // done or is pruned stays as it is. An error is logged and leaves its branch to train by itself.
  void leave(std::int64_t step) const;

 private:
  struct One {
    record::PlanLine line;
    std::int64_t step;
  };
  void leave(const One& branch) const;
  void write_events(const One& branch, const record::RunLayout& layout) const;

  const record::ExperimentLayout& experiment_;
  const record::PlanLine& trunk_;
  std::vector<One> branches_;
};

}  // namespace assay::app
