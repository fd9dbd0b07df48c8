// Batch: the data that a model and the objectives read. The fields are fixed; all except tokens are optional.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "assay/tensor.h"

namespace assay {

// The part of a document that a token belongs to after infilling has rearranged it (fill-in-the-middle). kWhole: the
// document was not rearranged.
enum class Part : int64_t { kWhole, kPrefix, kMiddle, kSuffix };

// A segment is a part of a document. Documents are numbered from 0, within a sequence or along the stream that it was
// cut from.
inline constexpr int64_t kParts = 4;
inline int64_t segment_of(int64_t document, Part part) { return kParts * document + static_cast<int64_t>(part); }

// An undefined tensor means: no targets; loss_weight all 1; positions 0..T-1; segment all 0; key_mask all true.
struct Batch {
  Tensor tokens;       // [B, T] int64
  Tensor targets;      // [B, T] int64, the id that each position predicts
  Tensor loss_weight;  // [B, T] fp32, 0 where a target does not count (its id is still valid)
  Tensor positions;    // [1 or B, T] int64
  Tensor segment;      // [B, T] int64, document and part of each token; see segment_of
  Tensor key_mask;     // [B, T] bool, false: padding, which is never attended to
  Tensor row_id;       // [B] int64, row in the *global* batch; dropout and all other draws are keyed by it
  Tensor sample_id;    // [B] int64, index in the streams of all epochs; draws for a text are keyed by it
  // [B] int64, number of first tokens that are the source of a row: what an encoder reads. Models without an encoder
  // ignore it. Undefined: 1, the token before the text.
  Tensor source_length;
  Tensor spans;  // [B, N, 2] int64, begin and end (exclusive) of marked spans; -1 where a row has fewer than N
  std::map<std::string, Tensor> channels;  // added by objectives and transforms; the first dimension is B

  int64_t rows() const { return tokens.size(0); }
  int64_t length() const { return tokens.size(1); }
};

}  // namespace assay
