// Where training starts when the experiment has [init]: the weights of another run, with its optimizer's state where
// that is asked for, or a file of weights.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "run/assemble.h"

namespace assay::run {

// `train`: of the plan line. Every rank calls it. UserError when the files do not fit this run: another vocabulary,
// tensors that are missing or of another shape, tensors that this run has no place for and [init] ignore does not name,
// or the state of an optimizer that means something else.
void start_from_init(const nlohmann::json& train, Assembled& run, const Mesh& mesh);

// The same at plan time, by names and vocabulary, of the files that are there already: keys with what is wrong.
std::vector<std::pair<std::string, std::string>> init_findings(const nlohmann::json& train, Assembled& run);

}  // namespace assay::run
