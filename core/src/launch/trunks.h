// Runs that agree up to a step train it once: the longest of them is the trunk, and the others leave it where their
// learning rates first differ.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "launch/job.h"
#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::launch {

struct Trunk {
  std::size_t run = 0;    // its place among the lines
  std::int64_t step = 0;  // updates that are shared
};

// The trunk of each run; nothing for a run that starts by itself. Runs share steps if everything that decides their
// weights is equal but the length and the scheduler, and if they train in the same environment, because only a
// scheduler gets the length of its run. A branch leaves early enough to make everything that its own record and
// events need: before the last tenth of its steps, and before evaluations that its trunk does not make. Runs with
// trackers share nothing, because a tracker must see every step.
//
// Throws UserError when a scheduler does.
std::vector<std::optional<Trunk>> trunks_of(const std::vector<record::PlanLine>& lines);

// What is left to train of a run, from the updates that its checkpoint or its record has to those where it shall pause.
struct Extent {
  std::int64_t begun = 0, until = 0;  // until = 0: the end
};
// A trunk that is past a step cannot give it, and one that pauses before it does not reach it.
std::vector<Extent> extents_of(const std::vector<record::PlanLine>& lines, const record::ExperimentLayout& experiment,
                               const std::vector<Job>& jobs);

// The same within extents, one per line, by a comparison of schedules: worker::common_steps.
std::vector<std::optional<Trunk>> trunks_of(const std::vector<record::PlanLine>& lines,
                                            const std::vector<Extent>& extents,
                                            const std::function<nlohmann::json(const nlohmann::json&)>& common_steps);

// Steps that are left to train, and those among them that trunks save.
struct SharedSteps {
  std::int64_t planned = 0, shared = 0;
  std::size_t branches = 0;
};
SharedSteps shared_steps(const std::vector<record::PlanLine>& lines, const std::vector<std::optional<Trunk>>& trunks,
                         const std::vector<Extent>& extents);

// "12 runs continue another one: 41% of 5,000 steps are trained once for several runs."; empty if there are none.
std::string shared_text(const SharedSteps& steps);

// Of a whole plan. Where a scheduler throws, nothing is shared, and validation reports why.
SharedSteps shared_steps_of(const std::vector<record::PlanLine>& lines);

// Sets which runs leave each job, and where each job comes from. jobs: one per line.
void set_branches(const std::vector<record::PlanLine>& lines, const std::vector<std::optional<Trunk>>& trunks,
                  std::vector<Job>& jobs);

// Finds the trunks of runs that are about to be launched, sets the branches of their jobs, and prints what is shared.
// Where a component throws, nothing is shared.
std::vector<std::optional<Trunk>> share_steps(const std::vector<record::PlanLine>& lines,
                                              const record::ExperimentLayout& experiment, std::vector<Job>& jobs,
                                              std::ostream& out);

}  // namespace assay::launch
