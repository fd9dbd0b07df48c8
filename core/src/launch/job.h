// One run as the launcher and its progress display use it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "record/branch.h"
#include "record/layout.h"
#include "record/plan_line/plan_line.h"

namespace assay::launch {

struct PlannedEvaluation {
  std::string id, label;
  std::int64_t every = 0;  // steps; 0: at the end only
};

struct Job {
  std::string train_id;
  std::string name;  // label and seed, as printed
  record::RunLayout run;
  int threads = 1;  // OpenMP threads per rank
  int cores = 1;    // threads per rank times ranks
  std::int64_t steps = 0;
  std::int64_t until = 0;  // pause after this many steps; 0: run to the end
  std::vector<PlannedEvaluation> evaluations = {};
  std::vector<record::Branch> branches = {};  // runs that leave this one
  std::optional<size_t> trunk = {};           // the place of the job that this one leaves, at step leaves_at
  std::int64_t leaves_at = 0;
};

Job job_of(const record::PlanLine& plan_line, const record::ExperimentLayout& experiment);

}  // namespace assay::launch
