#include "run/decode.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>

namespace assay {
namespace {

class ContextOfDecoding final : public DecodeContext {
 public:
  ContextOfDecoding(Assembled& run, const Mesh& mesh, const DecodeRequest& request)
      : model_(*run.model),
        compute_(run.compute),
        vocabulary_(*run.vocabulary),
        mesh_(mesh),
        draws_(request.seed, "decode") {
    read_prompts(run, request);
    scores_ = at::zeros({tokens_.size(0)}, tokens_.options().dtype(at::kDouble));
    ended_ = at::zeros({tokens_.size(0)}, mask_.options());
    extend(tokens_, mask_);
  }

  int64_t step() const override { return step_; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  Tensor logits() override { return logits_; }
  Tensor hidden() override { return hidden_; }
  Tensor mask() override { return mask_; }
  Tensor tokens() override { return tokens_; }
  Tensor scores() override { return scores_; }
  Draws draws() const override { return draws_; }
  Trial try_tokens(const Tensor& candidates_BK) override {
    const int64_t B = candidates_BK.size(0), K = candidates_BK.size(1);
    auto trial = cache_;  // tensors are shared; what grows are the copies
    trial.select(at::arange(B, candidates_BK.options()).repeat_interleave(K));
    const auto out_BKD = forward(trial, candidates_BK.reshape({B * K, 1}), ones(B * K)).view({B, K, -1});
    return {whole_logits(out_BKD), out_BKD};
  }

  bool all_ended() const { return ended_.all().item<bool>(); }

  // last: nobody will ask what comes after it, and the model may have no position for it.
  void take(Choice choice, bool last) {
    for (auto* tensor : {&choice.tokens, &choice.parents})
      if (tensor->defined()) *tensor = tensor->to(tokens_.device());
    const auto rows = choice.parents.defined() ? choice.parents : at::arange(tokens_.size(0), tokens_.options());
    check(choice.tokens, rows);
    const auto parents = [&](Tensor& x) { x = x.index_select(0, rows); };
    for (auto* tensor : {&tokens_, &mask_, &hidden_, &logits_, &scores_, &ended_, &prompt_of_}) parents(*tensor);
    cache_.select(rows);
    const auto end_of_text = vocabulary_.special(kEndOfText);
    const auto chosen_B1 = choice.tokens.masked_fill(ended_, end_of_text).unsqueeze(-1);  // what has ended stays so
    const auto log_prob_B = at::log_softmax(logits_.to(at::kDouble), -1).gather(-1, chosen_B1).squeeze(-1);
    scores_ = scores_ + log_prob_B.masked_fill(ended_, 0.0);
    ended_ = chosen_B1.squeeze(-1).eq(end_of_text);
    const auto real = ones(rows.size(0));
    tokens_ = at::cat({tokens_, chosen_B1}, 1);
    mask_ = at::cat({mask_, real}, 1);
    ++step_;
    if (!last) extend(chosen_B1, real);
  }

  std::vector<Decoded> results(int64_t prompts) const {
    std::vector<Decoded> out(static_cast<size_t>(prompts));
    for (int64_t row = tokens_.size(0) - 1; row >= 0; --row)
      out[static_cast<size_t>(prompt_of_[row].item<int64_t>())] = result(row);
    return out;
  }

 private:
  Tensor ones(int64_t rows) const { return at::ones({rows, 1}, mask_.options()); }

  // Padded on the left to the longest, so that every row's next token comes at the same place.
  void read_prompts(Assembled& run, const DecodeRequest& request) {
    const auto end_of_text = vocabulary_.special(kEndOfText);
    std::vector<std::vector<int64_t>> rows;
    int64_t longest = 0;
    for (const auto& prompt : request.prompts) {
      const auto ids = guard(*run.tokenizer, "encode", [&] { return run.tokenizer->encode(prompt); });
      auto& row = rows.emplace_back(1, end_of_text);
      row.insert(row.end(), ids.begin(), ids.end());
      longest = std::max(longest, static_cast<int64_t>(row.size()));
    }
    const auto limit = guard(model_, "limit", [&] { return model_.limit(); });
    if (limit && request.tokens > *limit - longest + 1)  // the last new one is chosen and not read
      throw UserError("a prompt of " + std::to_string(longest) + " tokens and " + std::to_string(request.tokens) +
                      " new ones are more than the model's limit of " + std::to_string(*limit) +
                      " positions; shorten the prompt or ask for fewer tokens");
    const auto B = static_cast<int64_t>(rows.size());
    tokens_ = at::full({B, longest}, end_of_text, at::TensorOptions().dtype(at::kLong));
    mask_ = at::zeros({B, longest}, at::TensorOptions().dtype(at::kBool));
    for (int64_t b = 0; b < B; ++b) {
      const auto& row = rows[static_cast<size_t>(b)];
      const auto begin = longest - static_cast<int64_t>(row.size());
      std::copy(row.begin(), row.end(), tokens_.data_ptr<int64_t>() + b * longest + begin);
      mask_.select(0, b).narrow(0, begin, static_cast<int64_t>(row.size())).fill_(true);
    }
    tokens_ = tokens_.to(compute_.device);
    mask_ = mask_.to(compute_.device);
    prompt_of_ = at::arange(B, tokens_.options());
  }

  Decoded result(int64_t row) const {
    Decoded out;
    out.log_prob = scores_[row].item<double>();
    const auto begin = tokens_.size(1) - step_;
    const auto row_ids = tokens_[row].to(at::kCPU).contiguous();
    const auto* ids = row_ids.const_data_ptr<int64_t>();
    const auto* end = ids + row_ids.size(0);
    const auto* stop = std::find(ids + begin, end, vocabulary_.special(kEndOfText));
    out.ids.assign(ids + begin, stop);
    out.ended = stop != end;
    const auto& tokenizer = vocabulary_.tokenizer();
    out.text = guard(tokenizer, "decode",
                     [&] { return tokenizer.decode(std::vector<int32_t>(out.ids.begin(), out.ids.end())); });
    return out;
  }

  void check(const Tensor& tokens, const Tensor& rows) const {
    const bool shaped = tokens.defined() && tokens.dim() == 1 && tokens.sizes() == rows.sizes() && tokens.numel() > 0;
    if (!shaped || tokens.scalar_type() != at::kLong || rows.scalar_type() != at::kLong)
      throw UserError("a choice needs tokens [B] int64, and parents of the same shape or none");
    const auto outside = [](const Tensor& x, int64_t end) {
      return x.min().item<int64_t>() < 0 || x.max().item<int64_t>() >= end;
    };
    if (outside(tokens, vocabulary_.size()))
      throw UserError("chose a token outside the vocabulary of " + std::to_string(vocabulary_.size()));
    if (outside(rows, tokens_.size(0)))
      throw UserError("went on from a row that is not among the " + std::to_string(tokens_.size(0)));
  }

  Tensor forward(Cache& cache, const Tensor& tokens, const Tensor& mask) {
    const ForwardPrecision precision(compute_);
    return guard(model_, "extend", [&] { return model_.extend(cache, tokens, mask); }).final_BTD;
  }
  Tensor whole_logits(const Tensor& hidden) {
    const ForwardPrecision precision(compute_);
    const auto slice = guard(model_, "logits", [&] { return model_.logits(hidden); });
    const auto all = gather_over_ranks(slice, -1, mesh_).narrow(-1, 0, vocabulary_.size());
    return all.scalar_type() == at::kDouble ? all : all.to(at::kFloat);
  }
  void extend(const Tensor& new_tokens, const Tensor& new_mask) {
    const auto out_BTD = forward(cache_, new_tokens, new_mask);
    hidden_ = hidden_.defined() ? at::cat({hidden_, out_BTD}, 1) : out_BTD;
    logits_ = whole_logits(out_BTD.select(1, out_BTD.size(1) - 1));
  }

  Model& model_;
  Compute compute_;
  const Vocabulary& vocabulary_;
  const Mesh& mesh_;
  Draws draws_;
  Cache cache_;
  Tensor tokens_, mask_, hidden_, logits_, scores_;  // mask_ and cache_.mask say the same
  Tensor ended_, prompt_of_;                         // [B]: has chosen its end of text; number of its prompt
  int64_t step_ = 0;
};

}  // namespace

std::vector<Decoded> decode(Assembled& run, const Mesh& mesh, Decoder& decoder, const DecodeRequest& request) {
  const c10::NoGradGuard no_grad;
  if (!run.model->causal()) throw UserError("text is generated from left to right, and this model is bidirectional");
  if (request.prompts.empty()) return {};
  ContextOfDecoding context(run, mesh, request);
  while (context.step() < request.tokens && !context.all_ended())
    guard(decoder, "next", [&] { context.take(decoder.next(context), context.step() + 1 == request.tokens); });
  return context.results(static_cast<int64_t>(request.prompts.size()));
}

}  // namespace assay
