// Reads [[sweep]]: [sweep.grid], [[sweep.zip]], [[sweep.case]], [[sweep.when]] and [[sweep.exclude]] of every block.
#pragma once

#include <vector>

#include "sweep/block.h"

namespace assay::sweep {

// Without a [[sweep]], there is one empty block. Invalid parts are reported and omitted.
std::vector<Block> read_sweep(const document::Node& document, document::Diagnostics& diagnostics);

}  // namespace assay::sweep
