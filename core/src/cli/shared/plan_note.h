// Numbers of one plan under the name of another are wrong numbers: what a reader of results has to know of their plan.
#pragma once

#include "cli/shared/named_experiment.h"
#include "plan/plan.h"

namespace assay::cli {

// One line on standard error where the file would plan other runs now than the plan in force, whose results these are:
// which plan that is, and how to make the file's. Of an experiment that is named by its results, the file that its plan
// was made from. Every verb that shows or judges results calls it.
void note_other_plan(const NamedExperiment& experiment);

// The same for a verb that has made the file's plan, and looks at the results of that.
void note_other_plan(const plan::Plan& plan);

// The same for each experiment whose runs the plan's runs start from or ask: those of its plan in force.
void note_other_plans_of_inputs(const plan::Plan& plan);

// Before the plan is put in force, where that replaces the plan of another file with the same name.
void note_replaced_plan(const plan::Plan& plan);

}  // namespace assay::cli
