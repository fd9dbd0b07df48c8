// Initialises training from [init]: the weights of another run, optionally with its optimizer state, or a file of
// weights.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "record/plan_line/train_config.h"
#include "run/assemble.h"

namespace assay::run {

// `train`: of the plan line. Must be called on every rank. Throws UserError when the files do not fit this run: another
// vocabulary, missing tensors or other shapes, unused tensors that [init] ignore does not list, or optimizer state of
// another format.
void start_from_init(const record::TrainConfig& train, Assembled& run, const Mesh& mesh);

// The same checks at plan time, by names and vocabulary, of files that already exist. Returns keys and errors.
std::vector<std::pair<std::string, std::string>> init_findings(const record::TrainConfig& train, Assembled& run);

}  // namespace assay::run
