// experiment.seeds: "1..6", a number, a list, or { init = .., data = .. } of which one varies.
#pragma once

#include <cstdint>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"

namespace assay::config {

struct Seed {
  int64_t shown = 1;  // the one that varies
  int64_t init = 1;
  int64_t data = 1;
};

// Null: the default, one run with seed 1.
std::vector<Seed> read_seeds(const Node* node, Diagnostics& diagnostics);

}  // namespace assay::config
