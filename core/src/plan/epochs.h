// Computes how many times the runs of a plan read their training text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "record/plan_line/plan_line.h"
#include "worker/client.h"

namespace assay::plan {

using ModelSizes = std::map<std::string, worker::ModelSize>;  // by group

// Tokens that the run trains on over those of its training text before transforms; 0: not known, or nothing is trained.
double epochs_of(const ModelSizes& sizes, const record::PlanLine& line);

// Warnings about rows that read their text more than four times, or more than once per batch.
std::vector<std::string> epoch_warnings(const std::vector<record::PlanLine>& lines, const ModelSizes& sizes);

}  // namespace assay::plan
