// The rows of a batch that is decoded: what each has read and chosen so far. A row continues one prompt; with beam
// search several rows continue the same one, and rows come and go.
#pragma once

#include <cstdint>
#include <vector>

#include "assay/decoder.h"
#include "run/decode/prompts.h"

namespace assay::run {

struct Row {
  int64_t prompt;  // its number
  double log_prob = 0;
  bool ended = false;  // has chosen its end of text
  int64_t length = 0;  // new tokens, the end of text included
};

class Rows {
 public:
  // One for each prompt.
  Rows(PromptBatch batch, const Vocabulary& vocabulary);

  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  const std::vector<Row>& rows() const { return rows_; }
  int64_t steps() const { return steps_; }  // tokens that were chosen
  bool all_ended() const;

  // Of everything so far, [B, S]; see PromptBatch.
  const Tensor& tokens() const { return batch_.tokens_BS; }
  const Tensor& mask() const { return batch_.mask_BS; }
  const Tensor& seen() const { return batch_.seen_BS; }
  const Tensor& segments() const { return batch_.segments_BS; }
  const Tensor& positions() const { return batch_.positions_BS; }
  // As a model reads it: the mask is undefined, which is faster, as long as no prompt is padded.
  bool padded() const { return batch_.padded; }
  Tensor model_mask() const { return batch_.padded ? batch_.mask_BS : Tensor(); }
  // Of `count` tokens that come next.
  Tensor next_model_mask(int64_t count) const;
  Tensor next_segments(int64_t count) const;

  // As DecodeContext has them: [B] on the batch's device.
  Tensor scores() const;
  Tensor ended() const;
  Tensor lengths() const;
  Tensor prompts() const;

  // Row b continues from what row parents[b] is now.
  void select(const std::vector<int64_t>& parents, const Tensor& index_B);
  // What every row chose. A row that has ended stays so: its choice becomes an end of text. Returns the choices [B, 1].
  Tensor append(std::vector<int64_t>& chosen, const Tensor& log_p_BV);

  // What a row adds to its prompt.
  Continuation continuation(size_t row) const;

 private:
  const Vocabulary& vocabulary_;
  PromptBatch batch_;
  std::vector<Row> rows_;
  int64_t steps_ = 0;
};

// The elements of an int64 tensor.
std::vector<int64_t> values_of(const Tensor& x);

}  // namespace assay::run
