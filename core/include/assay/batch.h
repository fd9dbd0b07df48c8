// Batch: what a model and the objectives see of the data. Fixed from the start; all but tokens optional.
#pragma once

#include <map>
#include <string>

#include "assay/tensor.h"

namespace assay {

// Undefined tensors mean: targets none; loss_weight all 1; positions 0..T-1; segment all 0; key_mask all true.
struct Batch {
  Tensor tokens;       // [B, T] int64
  Tensor targets;      // [B, T] int64, the id each position is to predict
  Tensor loss_weight;  // [B, T] fp32, 0 where a target does not count (its id is valid all the same)
  Tensor positions;    // [1 or B, T] int64
  Tensor segment;      // [B, T] int64, the part or document of each token
  Tensor key_mask;     // [B, T] bool, false: padding, never attended to
  Tensor row_id;       // [B] int64, row in the *global* batch; keys dropout and every other draw
  Tensor sample_id;    // [B] int64, epoch * contexts an epoch + place in the corpus; keys what belongs to a text
  Tensor spans;        // [B, N, 2] int64, begin and end (exclusive) of marked stretches, -1 where fewer than N
  std::map<std::string, Tensor> channels;  // what objectives and transforms add, first dimension B

  int64_t rows() const { return tokens.size(0); }
  int64_t length() const { return tokens.size(1); }
};

}  // namespace assay
