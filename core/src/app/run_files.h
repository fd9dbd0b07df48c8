// Reads the files of a run before an attempt and writes its records after it.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "record/layout.h"
#include "run/run.h"

namespace assay::app {

std::filesystem::path contexts_of(const record::ExperimentLayout& experiment);

// Collects the existing state of the run and the code that continues it.
run::Attempt attempt_at(const nlohmann::json& line, const record::RunLayout& layout,
                        const record::ExperimentLayout& experiment, int number);

// Removes corrupt records, which count as absent, so that this attempt can write them. Returns one note per record.
std::vector<std::string> remove_torn_records(const nlohmann::json& line, const record::RunLayout& layout);

void write_records(const nlohmann::json& line, const record::RunLayout& layout, const run::RunReport& report,
                   const std::string& started, double seconds);

// Removes the checkpoints unless the plan line keeps them.
void remove_checkpoints(const nlohmann::json& line, const record::RunLayout& layout);

}  // namespace assay::app
