// Reads [[sweep]]: [sweep.grid], [[sweep.zip]], [[sweep.case]], [[sweep.when]] and [[sweep.exclude]] of every block.
#pragma once

#include <vector>

#include "config/sweep.h"

namespace assay::config {

// Without a [[sweep]]: one block with nothing in it. What is wrong is reported and left out.
std::vector<Block> read_sweep(const Node& document, Diagnostics& diagnostics);

}  // namespace assay::config
