// Resolves the input runs of a run before it starts.
#pragma once

#include "record/plan_line/plan_line.h"

namespace assay::app {

// Adds the hash of its weights ("sha256") to every input in "train" and "evaluate", and the plugins that trained the
// inputs of evaluations to the plugins of the line. Throws UserError when an input is not finished, kept no weights, or
// has weights that do not match its record.
void resolve_inputs(record::PlanLine& plan_line);

}  // namespace assay::app
