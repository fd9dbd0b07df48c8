// Reads [[sweep]]: [sweep.grid], [[sweep.zip]], [[sweep.case]], [[sweep.when]] and [[sweep.exclude]] of every block.
#pragma once

#include <vector>

#include "sweep/block.h"

namespace assay::sweep {

// Without a [[sweep]]: one block with nothing in it. What is wrong is reported and left out.
std::vector<Block> read_sweep(const document::Node& document, document::Diagnostics& diagnostics);

}  // namespace assay::sweep
