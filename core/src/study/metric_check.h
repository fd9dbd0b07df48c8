// Checks that the runs of a plan have the metrics and the axes that an experiment file or a command line names.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "record/plan_line/plan_line.h"

namespace assay::study {

struct MetricName {
  std::string name;
  document::Position position;
};

// Checks that an evaluation that declares its metrics reports this one; `known` holds the declared metrics by label. If
// `whole`, the coordinates must match too; otherwise a name without coordinates stands for all metrics of that name.
void check_metric_is_given(const MetricName& metric, bool whole,
                           const std::map<std::string, std::vector<std::string>>& known,
                           document::Diagnostics& diagnostics);

// Checks that the owner is `train` or an evaluator of the runs, and that a step is one at which the runs evaluate (log,
// for train.*). `lines`: lines of a plan, at least one per group.
void check_metric(const MetricName& metric, const std::vector<record::PlanLine>& lines,
                  document::Diagnostics& diagnostics);

// Checks that names are axes of the runs, or were before the command line fixed them (`narrowed`). `what` names the key
// that lists them: "series".
void check_axes(const std::vector<std::string>& axes, const std::string& what, const document::Position& position,
                const std::vector<record::PlanLine>& lines, const std::vector<document::KeyPath>& narrowed,
                document::Diagnostics& diagnostics);

}  // namespace assay::study
