// Notes on the plan that results belong to: numbers of one plan under the name of another are wrong numbers.
#pragma once

#include "cli/shared/named_experiment.h"
#include "plan/plan.h"

namespace assay::cli {

// Prints one line on standard error if the file now plans other runs than the plan in force, to which the results
// belong: it names that plan and the command that runs the file's plan. For an experiment named by its results, the
// file is the one that its plan was made from. Every verb that shows or judges results calls it.
void note_other_plan(const NamedExperiment& experiment);

// The same for a verb that has made the file's plan and reads the results of the plan in force.
void note_other_plan(const plan::Plan& plan);

// The same for each experiment whose runs are inputs of the plan's runs.
void note_other_plans_of_inputs(const plan::Plan& plan);

// Called before the plan is put in force; prints a note if that replaces the plan of another file with the same name.
void note_replaced_plan(const plan::Plan& plan);

}  // namespace assay::cli
