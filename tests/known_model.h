// A model whose logits and hidden states depend on the last token alone and are given as tables, so that a test can
// work out a decoder's choices by hand.
#pragma once

#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>

#include <memory>

#include "assay/nn.h"
#include "fakes.h"
#include "run/assemble.h"

namespace assay::testing {

class KnownModel final : public FakeModel {
 public:
  // states [V, D]; head [D, V]; both fp64. The last of the V tokens is the end of text.
  KnownModel(Tensor states, Tensor head) : states_(std::move(states)), head_(std::move(head)) {}
  int64_t extends = 0;  // calls

  Tensor logits(const Tensor& hidden) override { return at::matmul(hidden, head_); }
  ModelOutput extend(Cache& cache, const Tensor& tokens, const Tensor& mask) override {
    ++extends;
    nn::extend(cache, tokens, mask, layers());
    return {at::embedding(states_, tokens), {}};
  }

  // Replaces the run's model, with its own vocabulary.
  void take_over(run::Assembled& run) {
    const auto V = states_.size(0);
    run.model = this;
    run.vocabulary =
        std::make_unique<Vocabulary>(*run.tokenizer, V, std::map<std::string, int64_t>{{kEndOfText, V - 1}});
  }

 private:
  Tensor states_, head_;
};

// Normal numbers, deterministic.
inline Tensor normal_numbers(at::IntArrayRef sizes, uint64_t seed) {
  auto x = at::empty(sizes, at::kDouble);
  const Draws draws(seed, "normal numbers");
  for (int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = draws.normal(static_cast<uint64_t>(i));
  return x;
}

}  // namespace assay::testing
