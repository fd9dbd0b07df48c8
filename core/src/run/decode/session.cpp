#include "run/decode/session.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <utility>

namespace assay::run {
namespace {

bool outside(const std::vector<int64_t>& ids, int64_t end) {
  return std::any_of(ids.begin(), ids.end(), [&](int64_t id) { return id < 0 || id >= end; });
}

}  // namespace

Session::Session(Assembled& run, const Mesh& mesh, const Decoder& decoder, const DecodeRequest& request,
                 PrefixCache* prefix_cache)
    : model_(*run.model),
      before_forward_(run.before_forward),
      compute_(run.compute),
      vocabulary_(*run.vocabulary),
      mesh_(mesh),
      steps_(request.tokens),
      on_text_(request.on_text),
      draws_(draws_of(request.prompts, request.seed)),
      rows_(batch_of(request.prompts, run, request.tokens,
                     guard(decoder, "lookahead", [&] { return decoder.lookahead(); })),
            *run.vocabulary) {
  // An encoder reads a prompt as a whole, and only once.
  keeps_hidden_ = guard(model_, "has_encoder", [&] { return model_.has_encoder(); });
  if (prefix_cache) prefix_cache->reused = 0, prefix_cache->read = rows_.tokens().size(1);
  const auto known = prefix_cache && !keeps_hidden_ ? recall(*prefix_cache) : 0;
  extend(rows_.tokens().slice(1, known), rows_.model_mask(),
         rows_.segments().defined() ? rows_.segments().slice(1, known) : Tensor());
  if (known > 0) hidden_.clear();  // it covers only a part
}

Tensor Session::hidden() {
  keeps_hidden_ = true;
  if (hidden_.empty()) {  // not requested yet
    Cache whole;
    hidden_ = {forward(whole, rows_.tokens(), rows_.model_mask(), rows_.segments())};
  }
  if (hidden_.size() > 1) hidden_ = {at::cat(hidden_, 1)};
  return hidden_.front();
}

Draws Session::draws(int64_t row) const {
  return draws_.at(static_cast<size_t>(rows_.rows().at(static_cast<size_t>(row)).prompt));
}

Tensor Session::try_tokens(const Tensor& candidates_BK) {
  const int64_t B = rows_.size(), V = vocabulary_.size();
  const bool shaped = candidates_BK.dim() == 2 && candidates_BK.size(0) == B && candidates_BK.numel() > 0;
  if (!shaped || candidates_BK.scalar_type() != at::kLong || outside(values_of(candidates_BK), V))
    throw UserError("candidates must be [B, K] int64 with tokens of the vocabulary of size " + std::to_string(V));
  tried_ = {values_of(candidates_BK), cache_, {}};
  tried_.cache.alternatives = true;
  const auto K = candidates_BK.size(1);
  tried_.hidden_BKD =
      forward(tried_.cache, candidates_BK.to(compute_.device), rows_.next_model_mask(K), rows_.next_segments(K));
  return tried_.hidden_BKD;
}

void Session::take(const Choice& choice) {
  auto chosen = checked(choice);
  const auto tried = std::exchange(tried_, {});
  const bool moved = choice.parents.defined();
  if (moved) select_rows(values_of(choice.parents));
  const auto before = rows_.rows();
  const auto chosen_B1 = rows_.append(chosen, log_p_BV_);
  if (on_text_ && !moved && rows_.size() == 1) stream_text();
  if (done()) return;  // nothing after it is needed, and the model may have no position for it
  if (!moved && continue_from(tried, chosen, before)) return;
  extend(chosen_B1, rows_.next_model_mask(1), rows_.next_segments(1));
}

void Session::remember(PrefixCache& prefix_cache) const {
  prefix_cache.tokens.clear();
  prefix_cache.segments.clear();
  prefix_cache.cache = {};
  if (rows_.size() != 1 || rows_.padded() || rows_.positions().defined() || model_.has_encoder()) return;
  const auto read = static_cast<std::ptrdiff_t>(cache_.length());
  prefix_cache.tokens = values_of(rows_.tokens()[0].narrow(0, 0, read));
  if (rows_.segments().defined()) prefix_cache.segments = values_of(rows_.segments()[0].narrow(0, 0, read));
  prefix_cache.cache = cache_;
}

std::vector<Continuation> Session::results() const {
  std::vector<Continuation> out(draws_.size());
  for (size_t row = rows_.rows().size(); row-- > 0;)
    out[static_cast<size_t>(rows_.rows()[row].prompt)] = rows_.continuation(row);
  return out;
}

// The number of tokens at the beginning of a single prompt that are in the cache already. The last token is always read
// again, because its state is needed.
int64_t Session::recall(PrefixCache& prefix_cache) {
  const bool parts = rows_.segments().defined();
  if (rows_.positions().defined()) return 0;  // the cache was read without gaps
  if (rows_.size() != 1 || prefix_cache.segments.empty() == parts) return 0;
  const auto tokens = values_of(rows_.tokens()),
             segments = parts ? values_of(rows_.segments()) : std::vector<int64_t>();
  const auto most = std::min(tokens.size() - 1, prefix_cache.tokens.size());
  size_t known = 0;
  while (known < most && tokens[known] == prefix_cache.tokens[known] &&
         (segments.empty() || segments[known] == prefix_cache.segments[known]))
    ++known;
  if (known == 0) return 0;
  cache_ = prefix_cache.cache;
  cache_.rewind(cache_.length() - static_cast<int64_t>(known));
  prefix_cache.reused = static_cast<int64_t>(known);
  prefix_cache.read -= prefix_cache.reused;
  return prefix_cache.reused;
}

// Checks a choice and returns its tokens.
std::vector<int64_t> Session::checked(const Choice& choice) const {
  const auto& [tokens, parents] = choice;
  const bool shaped = tokens.defined() && tokens.dim() == 1 && tokens.numel() > 0 &&
                      tokens.scalar_type() == at::kLong &&
                      (parents.defined() ? parents.sizes() == tokens.sizes() && parents.scalar_type() == at::kLong
                                         : tokens.size(0) == rows_.size());
  if (!shaped) throw UserError("a choice must have tokens [B] int64, and parents of the same shape or none");
  auto ids = values_of(tokens);
  if (outside(ids, vocabulary_.size()))
    throw UserError("the decoder chose a token outside the vocabulary of size " + std::to_string(vocabulary_.size()));
  if (parents.defined() && outside(values_of(parents), rows_.size()))
    throw UserError("the decoder continued from a row that is not among the " + std::to_string(rows_.size()) + " rows");
  return ids;
}

// Continues from these rows, in this order.
void Session::select_rows(const std::vector<int64_t>& parents) {
  const auto index = at::tensor(parents, rows_.tokens().options());
  if (keeps_hidden_)
    hidden_ = {hidden().index_select(0, index)};
  else
    hidden_.clear();
  rows_.select(parents, index);
  for (auto* tensor : {&logits_, &log_p_BV_}) *tensor = tensor->index_select(0, index);
  cache_.select(index);
}

// True when every row that continues chose a candidate that was tried, so that its states exist already.
bool Session::continue_from(const Tried& tried, const std::vector<int64_t>& chosen, const std::vector<Row>& before) {
  if (tried.candidates.empty()) return false;
  const auto K = tried.candidates.size() / chosen.size();
  std::vector<int64_t> places;
  for (size_t b = 0; b < chosen.size(); ++b) {
    const auto begin = tried.candidates.begin() + static_cast<std::ptrdiff_t>(b * K),
               end = begin + static_cast<std::ptrdiff_t>(K), found = std::find(begin, end, chosen[b]);
    if (found == end && !before[b].ended) return false;
    places.push_back(found == end ? 0 : found - begin);
  }
  const auto choice_B = at::tensor(places, rows_.tokens().options());
  const auto& x_BKD = tried.hidden_BKD;
  cache_ = tried.cache;
  cache_.keep(choice_B, static_cast<int64_t>(K));
  read(x_BKD.gather(1, choice_B.view({-1, 1, 1}).expand({-1, 1, x_BKD.size(2)})));
  return true;
}

// The part of a single row's text that is new.
void Session::stream_text() {
  const auto text = rows_.continuation(0).text;
  if (!text.starts_with(streamed_text_) || text.size() == streamed_text_.size()) return;
  on_text_(text.substr(streamed_text_.size()));
  streamed_text_ = text;
}

void Session::extend(const Tensor& new_tokens, const Tensor& new_mask, const Tensor& new_segments) {
  read(forward(cache_, new_tokens, new_mask, new_segments));
}

Tensor Session::forward(Cache& cache, const Tensor& tokens, const Tensor& mask, const Tensor& segments) {
  if (before_forward_) before_forward_(/*continues=*/step() > 0);
  const ForwardPrecision precision(compute_);
  cache.next_segments = segments;
  if (cache.length() == 0) cache.next_positions = rows_.positions();
  return guard(model_, "extend", [&] { return model_.extend(cache, tokens, mask); }).final_BTD;
}

Tensor Session::whole_logits(const Tensor& hidden) {
  const ForwardPrecision precision(compute_);
  const auto slice = guard(model_, "logits", [&] { return model_.logits(hidden); });
  const auto all = gather_from_tensor_parallel_region(slice, -1, mesh_).narrow(-1, 0, vocabulary_.size());
  return all.scalar_type() == at::kDouble ? all : all.to(at::kFloat);
}

// States of the last tokens.
void Session::read(const Tensor& hidden_BTD) {
  if (keeps_hidden_ || step() == 0)
    hidden_.push_back(hidden_BTD);
  else
    hidden_.clear();
  logits_ = whole_logits(hidden_BTD.select(1, hidden_BTD.size(1) - 1));
  log_p_BV_ = at::log_softmax(logits_.to(at::kDouble), -1);
  // One NaN among the logits makes the whole row NaN.
  if (log_p_BV_.select(1, 0).isnan().any().item<bool>())
    throw UserError("the logits contain NaN; check the model's weights");
}

}  // namespace assay::run
