// Reads the files of a run before an attempt and writes its records after it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "record/layout.h"
#include "record/plan_line/plan_line.h"
#include "run/run.h"

namespace assay::app {

std::filesystem::path contexts_of(const record::ExperimentLayout& experiment);

// The code that trains the run, as text: that of Attempt::code.
std::string training_code_of(const record::PlanLine& line);

// Collects the existing state of the run and the code that continues it.
run::Attempt attempt_at(const record::PlanLine& line, const record::RunLayout& layout,
                        const record::ExperimentLayout& experiment, int number);

// Removes corrupt records, which count as absent, so that this attempt can write them. Returns one note per record.
std::vector<std::string> remove_torn_records(const record::PlanLine& line, const record::RunLayout& layout);

void write_records(const record::PlanLine& line, const record::RunLayout& layout, const run::RunReport& report,
                   const std::string& started, double seconds);

// Removes the checkpoints unless the plan line keeps them.
void remove_checkpoints(const record::PlanLine& line, const record::RunLayout& layout);

}  // namespace assay::app
