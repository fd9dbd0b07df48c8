// experiment.seeds: "1..6", a number, a list, or { init = .., data = .. } of which one varies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::sweep {

struct Seed {
  int64_t shown = 1;  // the one that varies
  int64_t init = 1;
  int64_t data = 1;
};

// Null selects the default, one run with seed 1.
std::vector<Seed> read_seeds(const document::Node* node, document::Diagnostics& diagnostics);

// Adds the numbers after the largest seed until there are `at_least` seeds. A part that is the same for all seeds stays
// the same.
void add_seeds(std::vector<Seed>& seeds, std::size_t at_least);

}  // namespace assay::sweep
