// One step of a decode as a decoder sees it, with logits and a step that a test chooses.
#pragma once

#include <ATen/ops/zeros.h>

#include <cstdint>
#include <vector>

#include "assay/decoder.h"
#include "fakes.h"

namespace assay::testing {

class FakeDecoding : public DecodeContext {
 public:
  explicit FakeDecoding(Tensor logits_BV, int64_t step_number = 0, uint64_t seed_number = 1)
      : logits_BV_(std::move(logits_BV)), step_(step_number), seed_(seed_number) {}

  int64_t step() const override { return step_; }
  const Vocabulary& vocabulary() const override { throw Bug("not for this test"); }
  Tensor logits() override { return logits_BV_; }
  Tensor hidden() override { throw Bug("not for this test"); }
  Tensor mask() override { throw Bug("not for this test"); }
  Tensor tokens() override { throw Bug("not for this test"); }
  Tensor scores() override { return at::zeros({logits_BV_.size(0)}, at::kDouble); }
  Draws draws() const override { return Draws(seed_, "decode"); }
  Trial try_tokens(const Tensor&) override { throw Bug("not for this test"); }

 private:
  Tensor logits_BV_;
  int64_t step_;
  uint64_t seed_;
};

// What a decoder that keeps its rows chooses of these logits.
inline std::vector<int64_t> chosen(Decoder& decoder, FakeDecoding context) {
  const auto choice = decoder.next(context);
  if (choice.parents.defined()) throw Bug("rows were to stay");
  return values_of<int64_t>(choice.tokens);
}

}  // namespace assay::testing
