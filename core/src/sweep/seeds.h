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

// Null: the default, one run with seed 1.
std::vector<Seed> read_seeds(const document::Node* node, document::Diagnostics& diagnostics);

// Until there are so many: the numbers that follow the largest. What was one number for all stays so.
void add_seeds(std::vector<Seed>& seeds, std::size_t at_least);

}  // namespace assay::sweep
