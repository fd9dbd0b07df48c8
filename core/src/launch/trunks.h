// Runs that agree up to a step train it once: the longest of them is the trunk, and the others leave it where their
// learning rates first differ.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
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
// scheduler is told the length of its run. A branch leaves early enough to make everything that its own record and
// events need: before the last tenth of its steps, and before evaluations that its trunk does not make. Runs with
// trackers share nothing, because a tracker must see every step.
//
// With `experiment`, what runs have already trained counts: a trunk that is past the step cannot give it.
std::vector<std::optional<Trunk>> trunks_of(const std::vector<record::PlanLine>& lines,
                                            const record::ExperimentLayout* experiment = nullptr);

// The same with the steps that each run has already trained, and with who compares schedules: worker::common_steps.
std::vector<std::optional<Trunk>> trunks_of(const std::vector<record::PlanLine>& lines,
                                            const std::vector<std::int64_t>& begun,
                                            const std::function<nlohmann::json(const nlohmann::json&)>& common_steps);

// Steps of all runs, and those among them that trunks save.
struct SharedSteps {
  std::int64_t planned = 0, shared = 0;
  std::size_t branches = 0;
};
SharedSteps shared_steps(const std::vector<record::PlanLine>& lines, const std::vector<std::optional<Trunk>>& trunks);

// "12 of 24 runs continue another one; 41% of 5,000 steps are trained once for several runs"; empty if there are none.
std::string shared_text(const SharedSteps& steps);

// Tells each job which runs leave it, and where it comes from. jobs: one per line.
void set_branches(const std::vector<record::PlanLine>& lines, const std::vector<std::optional<Trunk>>& trunks,
                  std::vector<Job>& jobs);

}  // namespace assay::launch
