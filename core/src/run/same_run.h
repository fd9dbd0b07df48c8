// Whether ranks, and attempts, are of the same run and code.
#pragma once

#include <string>

#include "assay/mesh.h"
#include "record/plan_line/plan_line.h"

namespace assay::run {

// A rank that resolved a different run must stop here and not inside a collective. Throws UserError.
void compare_ranks(const record::PlanLine& line, const std::string& library, const Mesh& mesh);

// Names the differences between two versions of the training code, both as Attempt::code.
std::string changes(const std::string& before, const std::string& now);

}  // namespace assay::run
