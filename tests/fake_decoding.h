// One step of a decode as a decoder sees it, with logits and a step that a test chooses.
#pragma once

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "assay/decoder.h"
#include "fakes.h"

namespace assay::testing {

class FakeDecoding : public DecodeContext {
 public:
  explicit FakeDecoding(Tensor logits_BV, int64_t step_number = 0, uint64_t seed_number = 1)
      : logits_BV_(std::move(logits_BV)), step_(step_number), seed_(seed_number) {}

  int64_t step() const override { return step_; }
  int64_t steps() const override { return step_ + 1; }
  const Vocabulary& vocabulary() const override {
    if (!words) throw Bug("not for this test");
    return *words;
  }
  Tensor logits() override { return logits_BV_; }
  Tensor hidden() override { return hidden_BSD; }
  Tensor mask() override { return mask_BS; }
  Tensor tokens() override {
    if (!tokens_BS.defined()) throw Bug("not for this test");
    return tokens_BS;
  }
  Tensor scores() override { return at::zeros({logits_BV_.size(0)}, at::kDouble); }
  Tensor ended() override { return ended_B.defined() ? ended_B : at::zeros({logits_BV_.size(0)}, at::kBool); }
  Tensor lengths() override { return at::full({logits_BV_.size(0)}, step_, at::kLong); }
  Tensor prompts() override { return at::arange(logits_BV_.size(0), at::kLong); }
  Draws draws(int64_t row) const override { return Draws(seed_, "decode").substream(static_cast<uint64_t>(row)); }
  Tensor try_tokens(const Tensor& candidates_BK) override { return tried(candidates_BK); }

  // What a decoder may read.
  const Vocabulary* words = nullptr;
  Tensor tokens_BS, hidden_BSD, mask_BS, ended_B;
  std::function<Tensor(const Tensor& candidates_BK)> tried;  // [B, K, D]

 private:
  Tensor logits_BV_;
  int64_t step_;
  uint64_t seed_;
};

// Returns the tokens that a decoder chooses for these logits; it must keep all rows in place.
inline std::vector<int64_t> chosen(Decoder& decoder, FakeDecoding context) {
  const auto choice = decoder.next(context);
  if (choice.parents.defined()) throw Bug("rows were to stay");
  return values_of<int64_t>(choice.tokens);
}

}  // namespace assay::testing
