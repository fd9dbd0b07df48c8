// Batch: what a model and the objectives see of the data. Fixed from the start; all but tokens optional.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "assay/tensor.h"

namespace assay {

// What a token belongs to in a text that was cut up and rearranged (fill-in-the-middle); kWhole: one as it stands.
enum class Part : int64_t { kWhole, kPrefix, kMiddle, kSuffix };

// A segment is a part of a document; documents count from 0, of a context or along the stream that it was cut from.
inline constexpr int64_t kParts = 4;
inline int64_t segment_of(int64_t document, Part part) { return kParts * document + static_cast<int64_t>(part); }

// Undefined tensors mean: targets none; loss_weight all 1; positions 0..T-1; segment all 0; key_mask all true.
struct Batch {
  Tensor tokens;       // [B, T] int64
  Tensor targets;      // [B, T] int64, the id each position is to predict
  Tensor loss_weight;  // [B, T] fp32, 0 where a target does not count (its id is valid all the same)
  Tensor positions;    // [1 or B, T] int64
  Tensor segment;      // [B, T] int64, document and part of each token, see segment_of
  Tensor key_mask;     // [B, T] bool, false: padding, never attended to
  Tensor row_id;       // [B] int64, row in the *global* batch; keys dropout and every other draw
  Tensor sample_id;    // [B] int64, place in the streams of all epochs; keys what belongs to a text
  Tensor spans;        // [B, N, 2] int64, begin and end (exclusive) of marked stretches, -1 where fewer than N
  std::map<std::string, Tensor> channels;  // what objectives and transforms add, first dimension B

  int64_t rows() const { return tokens.size(0); }
  int64_t length() const { return tokens.size(1); }
};

}  // namespace assay
