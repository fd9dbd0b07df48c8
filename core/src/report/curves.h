// Learning curves of groups of runs: the summary over seeds at each logged step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compare/statistics/statistics.h"
#include "report/run_log.h"

namespace assay::report {

struct CurvePoint {
  std::int64_t step = 0;
  compare::Summary summary;  // over the seeds that logged this step
};

struct Curve {
  std::size_t group = 0;
  std::size_t logged_steps = 0;    // before thinning
  std::vector<CurvePoint> points;  // by step
};

// The curves of one metric, one for each group that logged it.
struct CurveFamily {
  std::string name, unit, direction;
  std::vector<Curve> curves;
};

// groups: the logs of the runs of each group. A curve keeps at most `most_points` of its steps, evenly spaced and
// including the first and the last. A metric that no group logged at two steps has no curves.
std::vector<CurveFamily> learning_curves(const std::vector<std::vector<const RunLog*>>& groups,
                                         std::size_t most_points);

}  // namespace assay::report
