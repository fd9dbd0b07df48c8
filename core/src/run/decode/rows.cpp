#include "run/decode/rows.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <utility>

namespace assay::run {
namespace {

// A member of every row, where `tokens` are.
template <class Member>
Tensor all(const std::vector<Row>& rows, Member Row::*member, const Tensor& tokens) {
  Tensor out = at::empty({static_cast<int64_t>(rows.size())}, c10::CppTypeToScalarType<Member>::value);
  for (size_t b = 0; b < rows.size(); ++b) out.data_ptr<Member>()[b] = rows[b].*member;
  return out.to(tokens.device());
}

}  // namespace

std::vector<int64_t> values_of(const Tensor& x) {
  const auto here = x.to(at::kCPU).contiguous();
  return {here.const_data_ptr<int64_t>(), here.const_data_ptr<int64_t>() + here.numel()};
}

Rows::Rows(PromptBatch batch, const Vocabulary& vocabulary) : vocabulary_(vocabulary), batch_(std::move(batch)) {
  for (int64_t prompt = 0; prompt < batch_.tokens_BS.size(0); ++prompt) rows_.push_back({prompt});
}

bool Rows::all_ended() const {
  return std::all_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.ended; });
}

Tensor Rows::next_model_mask(int64_t count) const {
  return batch_.padded ? at::ones({size(), count}, mask().options()) : Tensor();
}

Tensor Rows::next_segments(int64_t count) const {
  if (!segments().defined()) return {};
  return segments().narrow(1, segments().size(1) - 1, 1).expand({-1, count}).contiguous();
}

Tensor Rows::scores() const { return all(rows_, &Row::log_prob, tokens()); }
Tensor Rows::ended() const { return all(rows_, &Row::ended, tokens()); }
Tensor Rows::lengths() const { return all(rows_, &Row::length, tokens()); }
Tensor Rows::prompts() const { return all(rows_, &Row::prompt, tokens()); }

void Rows::select(const std::vector<int64_t>& parents, const Tensor& index_B) {
  for (auto* tensor : {&batch_.tokens_BS, &batch_.segments_BS, &batch_.positions_BS, &batch_.mask_BS, &batch_.seen_BS})
    if (tensor->defined()) *tensor = tensor->index_select(0, index_B);
  std::vector<Row> rows;
  for (const auto parent : parents) rows.push_back(rows_[static_cast<size_t>(parent)]);
  rows_ = std::move(rows);
}

Tensor Rows::append(std::vector<int64_t>& chosen, const Tensor& log_p_BV) {
  const auto end_of_text = vocabulary_.special(kEndOfText);
  for (size_t b = 0; b < rows_.size(); ++b)
    if (rows_[b].ended) chosen[b] = end_of_text;
  const auto chosen_B1 = at::tensor(chosen, tokens().options()).unsqueeze(-1);
  const auto log_p_B1 = log_p_BV.gather(-1, chosen_B1).to(at::kCPU).contiguous();
  for (size_t b = 0; b < rows_.size(); ++b) {
    auto& row = rows_[b];
    if (row.ended) continue;
    row.log_prob += log_p_B1.const_data_ptr<double>()[b];
    row.ended = chosen[b] == end_of_text;
    ++row.length;
  }
  if (segments().defined()) batch_.segments_BS = at::cat({segments(), next_segments(1)}, 1);
  if (positions().defined()) {
    const auto last_B1 = positions().narrow(1, positions().size(1) - 1, 1);
    batch_.positions_BS = at::cat({positions(), last_B1 + 1}, 1);
  }
  batch_.tokens_BS = at::cat({tokens(), chosen_B1}, 1);
  const auto new_B1 = at::ones({size(), 1}, mask().options());
  batch_.mask_BS = at::cat({mask(), new_B1}, 1);
  batch_.seen_BS = at::cat({seen(), new_B1}, 1);
  ++steps_;
  return chosen_B1;
}

Continuation Rows::continuation(size_t row) const {
  Continuation out;
  out.log_prob = rows_[row].log_prob;
  const auto all = values_of(tokens()[static_cast<int64_t>(row)]);
  const auto begin = all.end() - steps_, stop = std::find(begin, all.end(), vocabulary_.special(kEndOfText));
  out.ids.assign(begin, stop);
  out.ended = stop != all.end();
  const auto& tokenizer = vocabulary_.tokenizer();
  out.text = guard(tokenizer, "decode",
                   [&] { return tokenizer.decode(std::vector<int32_t>(out.ids.begin(), out.ids.end())); });
  return out;
}

}  // namespace assay::run
