#include "run/decode.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace assay::run {
namespace {

class ContextOfDecoding final : public DecodeContext {
 public:
  ContextOfDecoding(Assembled& run, const Mesh& mesh, const Decoder& decoder, const DecodeRequest& request,
                    DecodeMemory* memory)
      : model_(*run.model),
        before_forward_(run.before_forward),
        compute_(run.compute),
        vocabulary_(*run.vocabulary),
        mesh_(mesh),
        steps_(request.tokens),
        on_text_(request.on_text) {
    read_prompts(request.prompts, guard(decoder, "lookahead", [&] { return decoder.lookahead(); }));
    key_draws(request);
    for (size_t row = 0; row < request.prompts.size(); ++row) rows_.push_back({static_cast<int64_t>(row)});
    const auto known = memory ? recall(*memory) : 0;
    extend(tokens_.slice(1, known), padded_ ? mask_ : Tensor(),
           segments_.defined() ? segments_.slice(1, known) : Tensor());
    if (known > 0) hidden_.clear();  // it is of a part only
  }

  int64_t step() const override { return step_; }
  int64_t steps() const override { return steps_; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  Tensor logits() override { return logits_; }
  Tensor hidden() override {
    keeps_hidden_ = true;
    if (hidden_.empty()) {  // nobody asked so far
      Cache whole;
      hidden_ = {forward(whole, tokens_, padded_ ? mask_ : Tensor(), segments_)};
    }
    if (hidden_.size() > 1) hidden_ = {at::cat(hidden_, 1)};
    return hidden_.front();
  }
  Tensor mask() override { return mask_; }
  Tensor tokens() override { return tokens_; }
  Tensor scores() override { return of_rows(&Row::log_prob, at::kDouble); }
  Tensor ended() override { return of_rows(&Row::ended, at::kBool); }
  Tensor lengths() override { return of_rows(&Row::length, at::kLong); }
  Tensor prompts() override { return of_rows(&Row::prompt, at::kLong); }
  Draws draws(int64_t row) const override {
    return draws_.at(static_cast<size_t>(rows_.at(static_cast<size_t>(row)).prompt));
  }
  Tensor try_tokens(const Tensor& candidates_BK) override {
    const int64_t B = tokens_.size(0), V = vocabulary_.size();
    const bool shaped = candidates_BK.dim() == 2 && candidates_BK.size(0) == B && candidates_BK.numel() > 0;
    if (!shaped || candidates_BK.scalar_type() != at::kLong || outside(values(candidates_BK), V))
      throw UserError("candidates are [B, K] int64 with tokens of the vocabulary of " + std::to_string(V));
    tried_ = {values(candidates_BK), cache_, {}};
    tried_.cache.alternatives = true;
    const auto K = candidates_BK.size(1);
    tried_.hidden_BKD = forward(tried_.cache, candidates_BK.to(compute_.device), real(B, K), next_segments(K));
    return tried_.hidden_BKD;
  }

  bool done() const {
    return step_ >= steps_ || std::all_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.ended; });
  }

  void take(const Choice& choice) {
    auto chosen = checked(choice);
    const auto tried = std::exchange(tried_, {});
    const bool moved = choice.parents.defined();
    if (moved) go_to(values(choice.parents));
    const auto before = rows_;
    const auto end_of_text = vocabulary_.special(kEndOfText);
    for (size_t b = 0; b < rows_.size(); ++b)
      if (rows_[b].ended) chosen[b] = end_of_text;  // what has ended stays so
    const auto B = static_cast<int64_t>(rows_.size());
    const auto chosen_B1 = at::tensor(chosen, tokens_.options()).unsqueeze(-1);
    const auto log_p_B1 = log_p_BV_.gather(-1, chosen_B1).to(at::kCPU).contiguous();
    for (size_t b = 0; b < rows_.size(); ++b) {
      auto& row = rows_[b];
      if (row.ended) continue;
      row.log_prob += log_p_B1.const_data_ptr<double>()[b];
      row.ended = chosen[b] == end_of_text;
      ++row.length;
    }
    const auto segments_B1 = next_segments(1);
    tokens_ = at::cat({tokens_, chosen_B1}, 1);
    if (segments_.defined()) segments_ = at::cat({segments_, segments_B1}, 1);
    mask_ = at::cat({mask_, at::ones({B, 1}, mask_.options())}, 1);
    ++step_;
    if (on_text_ && !moved && B == 1) tell();
    if (done()) return;  // nobody will ask what comes after it, and the model may have no position for it
    if (!moved && go_on_from(tried, chosen, before)) return;
    extend(chosen_B1, real(B, 1), segments_B1);
  }

  // For a next call: what the cache holds, where one row was decoded.
  void remember(DecodeMemory& memory) const {
    memory.tokens.clear();
    memory.segments.clear();
    memory.cache = {};
    if (rows_.size() != 1 || padded_) return;
    const auto read = static_cast<std::ptrdiff_t>(cache_.length());
    memory.tokens = values(tokens_[0].narrow(0, 0, read));
    if (segments_.defined()) memory.segments = values(segments_[0].narrow(0, 0, read));
    memory.cache = cache_;
  }

  std::vector<Continuation> results(int64_t prompts) const {
    std::vector<Continuation> out(static_cast<size_t>(prompts));
    for (size_t row = rows_.size(); row-- > 0;) out[static_cast<size_t>(rows_[row].prompt)] = result(row);
    return out;
  }

 private:
  struct Row {
    int64_t prompt;  // its number
    double log_prob = 0;
    bool ended = false;  // has chosen its end of text
    int64_t length = 0;  // new tokens, the end of text included
  };
  struct Tried {
    std::vector<int64_t> candidates;  // [B, K]; empty: nothing was tried since the last choice
    Cache cache;
    Tensor hidden_BKD;
  };

  static std::vector<int64_t> values(const Tensor& x) {
    const auto here = x.to(at::kCPU).contiguous();
    return {here.const_data_ptr<int64_t>(), here.const_data_ptr<int64_t>() + here.numel()};
  }
  static bool outside(const std::vector<int64_t>& ids, int64_t end) {
    return std::any_of(ids.begin(), ids.end(), [&](int64_t id) { return id < 0 || id >= end; });
  }
  template <class Member>
  Tensor of_rows(Member Row::*member, at::ScalarType type) const {
    auto out = at::empty({static_cast<int64_t>(rows_.size())}, type);
    for (size_t b = 0; b < rows_.size(); ++b) out.data_ptr<Member>()[b] = rows_[b].*member;
    return out.to(compute_.device);
  }

  // The mask of new tokens; undefined, which is faster, as long as no prompt was padded.
  Tensor real(int64_t rows, int64_t count) const {
    return padded_ ? at::ones({rows, count}, mask_.options()) : Tensor();
  }

  // What new tokens belong to; undefined where nothing is told of the prompts.
  Tensor next_segments(int64_t count) const {
    if (!segments_.defined()) return {};
    return segments_.narrow(1, segments_.size(1) - 1, 1).expand({-1, count}).contiguous();
  }

  // Of a single prompt, so many tokens at its beginning are in the cache already. The last one is read in any case: its
  // state is wanted.
  int64_t recall(DecodeMemory& memory) {
    memory.reused = 0;
    memory.read = tokens_.size(1);
    if (tokens_.size(0) != 1 || memory.segments.empty() == segments_.defined()) return 0;
    const auto tokens = values(tokens_), segments = segments_.defined() ? values(segments_) : std::vector<int64_t>();
    const auto most = std::min(tokens.size() - 1, memory.tokens.size());
    size_t known = 0;
    while (known < most && tokens[known] == memory.tokens[known] &&
           (segments.empty() || segments[known] == memory.segments[known]))
      ++known;
    if (known == 0) return 0;
    cache_ = memory.cache;
    cache_.rewind(cache_.length() - static_cast<int64_t>(known));
    memory.reused = static_cast<int64_t>(known);
    memory.read -= memory.reused;
    return memory.reused;
  }

  // Padded on the left to the longest, so that every row's next token comes at the same place.
  void read_prompts(const std::vector<Prompt>& prompts, int64_t lookahead) {
    size_t longest = 0;
    bool parts = false;
    for (const auto& [tokens, segment] : prompts) {
      longest = std::max(longest, tokens.size() + 1);
      parts = parts || !segment.empty();
      if (!segment.empty() && segment.size() != tokens.size())
        throw UserError("a prompt of " + std::to_string(tokens.size()) + " tokens has segments of " +
                        std::to_string(segment.size()));
    }
    const auto B = static_cast<int64_t>(prompts.size()), S = static_cast<int64_t>(longest);
    const auto limit = guard(model_, "limit", [&] { return model_.limit(); });
    const auto tokens = [](int64_t count) { return std::to_string(count) + (count == 1 ? " token" : " tokens"); };
    if (limit && steps_ > *limit - S + 1 - lookahead)  // the last new one is chosen and not read
      throw UserError("an end of text, a prompt of " + tokens(S - 1) + " and a continuation of " + tokens(steps_) +
                      (lookahead > 0 ? " with candidates" : "") + " are more than the model's limit of " +
                      std::to_string(*limit) + " positions; shorten the prompt or ask for fewer tokens");
    tokens_ = at::full({B, S}, vocabulary_.special(kEndOfText), at::TensorOptions().dtype(at::kLong));
    mask_ = at::zeros({B, S}, at::TensorOptions().dtype(at::kBool));
    if (parts) segments_ = at::zeros({B, S}, tokens_.options());
    for (int64_t b = 0; b < B; ++b) {
      const auto& [tokens, segment] = prompts[static_cast<size_t>(b)];
      const auto begin = S - static_cast<int64_t>(tokens.size());
      std::copy(tokens.begin(), tokens.end(), tokens_.data_ptr<int64_t>() + b * S + begin);
      if (parts) std::copy(segment.begin(), segment.end(), segments_.data_ptr<int64_t>() + b * S + begin);
      mask_.select(0, b).narrow(0, begin - 1, S - begin + 1).fill_(true);
      padded_ = padded_ || begin > 1;
    }
    tokens_ = tokens_.to(compute_.device);
    if (parts) segments_ = segments_.to(compute_.device);
    mask_ = mask_.to(compute_.device);
  }

  void key_draws(const DecodeRequest& request) {
    const Draws all(request.seed, "decode");
    std::map<std::vector<int32_t>, uint64_t> seen;
    for (const auto& prompt : request.prompts) {
      auto key = prompt.tokens;
      key.insert(key.end(), prompt.segment.begin(), prompt.segment.end());
      const std::string_view bytes(reinterpret_cast<const char*>(key.data()), key.size() * sizeof key[0]);
      draws_.push_back(all.substream(stream_key(0, bytes)).substream(seen[key]++));
    }
  }

  // What is new of a single row's text.
  void tell() {
    const auto text = result(0).text;
    if (!text.starts_with(told_) || text.size() == told_.size()) return;
    on_text_(text.substr(told_.size()));
    told_ = text;
  }

  // Rows go on from these.
  void go_to(const std::vector<int64_t>& parents) {
    const auto index = at::tensor(parents, tokens_.options());
    for (auto* tensor : {&tokens_, &segments_, &mask_, &logits_, &log_p_BV_})
      if (tensor->defined()) *tensor = tensor->index_select(0, index);
    if (keeps_hidden_)
      hidden_ = {hidden().index_select(0, index)};
    else
      hidden_.clear();
    cache_.select(index);
    std::vector<Row> rows;
    for (const auto parent : parents) rows.push_back(rows_[static_cast<size_t>(parent)]);
    rows_ = std::move(rows);
  }

  // True when every row that goes on chose a candidate that was tried: its states are there already.
  bool go_on_from(const Tried& tried, const std::vector<int64_t>& chosen, const std::vector<Row>& before) {
    if (tried.candidates.empty()) return false;
    const auto K = tried.candidates.size() / chosen.size();
    std::vector<int64_t> places;
    for (size_t b = 0; b < chosen.size(); ++b) {
      const auto begin = tried.candidates.begin() + static_cast<std::ptrdiff_t>(b * K),
                 end = begin + static_cast<std::ptrdiff_t>(K), found = std::find(begin, end, chosen[b]);
      if (found == end && !before[b].ended) return false;
      places.push_back(found == end ? 0 : found - begin);
    }
    const auto choice_B = at::tensor(places, tokens_.options());
    const auto& x_BKD = tried.hidden_BKD;
    cache_ = tried.cache;
    cache_.keep(choice_B, static_cast<int64_t>(K));
    read(x_BKD.gather(1, choice_B.view({-1, 1, 1}).expand({-1, 1, x_BKD.size(2)})));
    return true;
  }

  Continuation result(size_t row) const {
    Continuation out;
    out.log_prob = rows_[row].log_prob;
    const auto all = values(tokens_[static_cast<int64_t>(row)]);
    const auto begin = all.end() - step_, stop = std::find(begin, all.end(), vocabulary_.special(kEndOfText));
    out.ids.assign(begin, stop);
    out.ended = stop != all.end();
    const auto& tokenizer = vocabulary_.tokenizer();
    out.text = guard(tokenizer, "decode",
                     [&] { return tokenizer.decode(std::vector<int32_t>(out.ids.begin(), out.ids.end())); });
    return out;
  }

  // The tokens.
  std::vector<int64_t> checked(const Choice& choice) const {
    const auto& [tokens, parents] = choice;
    const bool shaped = tokens.defined() && tokens.dim() == 1 && tokens.numel() > 0 &&
                        tokens.scalar_type() == at::kLong &&
                        (parents.defined() ? parents.sizes() == tokens.sizes() && parents.scalar_type() == at::kLong
                                           : tokens.size(0) == tokens_.size(0));
    if (!shaped) throw UserError("a choice needs tokens [B] int64, and parents of the same shape or none");
    auto ids = values(tokens);
    if (outside(ids, vocabulary_.size()))
      throw UserError("chose a token outside the vocabulary of " + std::to_string(vocabulary_.size()));
    if (parents.defined() && outside(values(parents), tokens_.size(0)))
      throw UserError("went on from a row that is not among the " + std::to_string(tokens_.size(0)));
    return ids;
  }

  Tensor forward(Cache& cache, const Tensor& tokens, const Tensor& mask, const Tensor& segments) {
    if (before_forward_) before_forward_(/*continues=*/step_ > 0);
    const ForwardPrecision precision(compute_);
    cache.next_segments = segments;
    return guard(model_, "extend", [&] { return model_.extend(cache, tokens, mask); }).final_BTD;
  }
  Tensor whole_logits(const Tensor& hidden) {
    const ForwardPrecision precision(compute_);
    const auto slice = guard(model_, "logits", [&] { return model_.logits(hidden); });
    const auto all = gather_over_ranks(slice, -1, mesh_).narrow(-1, 0, vocabulary_.size());
    return all.scalar_type() == at::kDouble ? all : all.to(at::kFloat);
  }
  void extend(const Tensor& new_tokens, const Tensor& new_mask, const Tensor& new_segments) {
    read(forward(cache_, new_tokens, new_mask, new_segments));
  }

  // States of the tokens that came last.
  void read(const Tensor& hidden_BTD) {
    if (keeps_hidden_ || step_ == 0)
      hidden_.push_back(hidden_BTD);
    else
      hidden_.clear();
    logits_ = whole_logits(hidden_BTD.select(1, hidden_BTD.size(1) - 1));
    log_p_BV_ = at::log_softmax(logits_.to(at::kDouble), -1);
    // One logit that is none leaves none of its row.
    if (log_p_BV_.select(1, 0).isnan().any().item<bool>())
      throw UserError("a logit is no number; are the model's weights whole?");
  }

  Model& model_;
  const std::function<void(bool)>& before_forward_;
  Compute compute_;
  const Vocabulary& vocabulary_;
  const Mesh& mesh_;
  std::vector<Draws> draws_;  // of each prompt
  Cache cache_;
  Tensor tokens_, mask_, logits_;  // as DecodeContext gives them
  Tensor segments_;                // [B, S] of the tokens, or undefined
  Tensor log_p_BV_;                // fp64
  std::vector<Tensor> hidden_;     // pieces of the sequence; empty while nobody asks
  bool keeps_hidden_ = false;
  std::vector<Row> rows_;
  bool padded_ = false;
  Tried tried_;
  int64_t step_ = 0, steps_;
  std::function<void(const std::string&)> on_text_;
  std::string told_;
};

}  // namespace

std::vector<Prompt> encoded(const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  std::vector<Prompt> prompts;
  for (const auto& text : texts)
    prompts.push_back({guard(tokenizer, "encode", [&] { return tokenizer.encode(text); }), {}});
  return prompts;
}

std::vector<Continuation> decode(Assembled& run, const Mesh& mesh, Decoder& decoder, const DecodeRequest& request,
                                 DecodeMemory* memory) {
  const c10::NoGradGuard no_grad;
  if (!run.model->causal()) throw UserError("text is generated from left to right, and this model is bidirectional");
  if (request.prompts.empty()) return {};
  ContextOfDecoding context(run, mesh, decoder, request, memory);
  while (!context.done()) guard(decoder, "next", [&] { context.take(decoder.next(context)); });
  if (memory) context.remember(*memory);
  return context.results(static_cast<int64_t>(request.prompts.size()));
}

}  // namespace assay::run
