// One batched decode: the model's side of it, and what the decoder sees.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "run/assemble.h"
#include "run/decode/request.h"
#include "run/decode/rows.h"

namespace assay::run {

// Every tensor rank has one and makes the same calls; all hold the same.
class Session final : public DecodeContext {
 public:
  // Reads the prompts; with a prefix cache, only what it does not hold of them. Arguments as for decode.
  Session(Assembled& run, const Mesh& mesh, const Decoder& decoder, const DecodeRequest& request,
          PrefixCache* prefix_cache);

  int64_t step() const override { return rows_.steps(); }
  int64_t steps() const override { return steps_; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  Tensor logits() override { return logits_; }
  Tensor hidden() override;
  Tensor mask() override { return rows_.seen(); }
  Tensor tokens() override { return rows_.tokens(); }
  Tensor scores() override { return rows_.scores(); }
  Tensor ended() override { return rows_.ended(); }
  Tensor lengths() override { return rows_.lengths(); }
  Tensor prompts() override { return rows_.prompts(); }
  Draws draws(int64_t row) const override;
  Tensor try_tokens(const Tensor& candidates_BK) override;

  bool done() const { return step() >= steps_ || rows_.all_ended(); }
  // The decoder's choice; reads it, unless it is the last one.
  void take(const Choice& choice);
  // For a next call: what the cache holds, where one row was decoded.
  void remember(PrefixCache& prefix_cache) const;
  std::vector<Continuation> results() const;  // one for each prompt

 private:
  // What try_tokens gave since the last choice.
  struct Tried {
    std::vector<int64_t> candidates;  // [B, K]; empty: nothing was tried
    Cache cache;
    Tensor hidden_BKD;
  };

  int64_t recall(PrefixCache& prefix_cache);
  std::vector<int64_t> checked(const Choice& choice) const;
  void select_rows(const std::vector<int64_t>& parents);
  bool continue_from(const Tried& tried, const std::vector<int64_t>& chosen, const std::vector<Row>& before);
  void stream_text();
  void extend(const Tensor& new_tokens, const Tensor& new_mask, const Tensor& new_segments);
  Tensor forward(Cache& cache, const Tensor& tokens, const Tensor& mask, const Tensor& segments);
  Tensor whole_logits(const Tensor& hidden);
  void read(const Tensor& hidden_BTD);

  Model& model_;
  const std::function<void(bool)>& before_forward_;
  const Compute compute_;
  const Vocabulary& vocabulary_;
  const Mesh& mesh_;
  const int64_t steps_;
  const std::function<void(const std::string&)> on_text_;
  std::string streamed_text_;  // of a single row's text, so much
  std::vector<Draws> draws_;   // of each prompt
  Rows rows_;
  Cache cache_;
  Tensor logits_;               // as DecodeContext gives them
  Tensor log_p_BV_;             // fp64
  std::vector<Tensor> hidden_;  // pieces of the sequence; empty while nobody asks
  bool keeps_hidden_ = false;
  Tried tried_;
};

}  // namespace assay::run
