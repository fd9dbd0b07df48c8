// Where rows of tokens that are read after one prefix begin alike: the rows in an order in which equal beginnings are
// neighbours, and the depths up to which a beginning is read once for all rows that have it.
#pragma once

#include <cstdint>
#include <vector>

#include "assay/evaluator.h"

namespace assay::run {

// The tokens of a row that are read: all but the last one, which is only predicted.
inline int64_t reads(const Scored& row) { return row.tokens.empty() ? 0 : static_cast<int64_t>(row.tokens.size()) - 1; }

struct SharedReads {
  std::vector<size_t> order;    // of the rows
  std::vector<int64_t> shared;  // by place in the order: number of read tokens that equal those of the row before it
  std::vector<int64_t> cuts;    // rising depths
};

// The cuts have the least number of tokens to read, where a forward pass costs as much as kPassTokens of them.
SharedReads shared_reads(const std::vector<Scored>& rows);

}  // namespace assay::run
