// Batches of sequences, [CLS] and a text, for evaluators of bidirectional models.
#pragma once

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../shared/encoder_tokens.h"
#include "assay/evaluator.h"
#include "work.h"

namespace assay::evaluation {

using Sequence = std::vector<int32_t>;

// [CLS] and the ids of a text per row; shorter rows are padded at their end.
inline Batch batch_of(const std::vector<Sequence>& sequences, const Vocabulary& vocabulary) {
  size_t longest = 0;
  bool equal = true;
  for (const auto& sequence : sequences) {
    equal &= longest == 0 || sequence.size() == longest;
    longest = std::max(longest, sequence.size());
  }
  const auto rows = static_cast<int64_t>(sequences.size()), length = static_cast<int64_t>(longest) + 1;
  Batch batch;
  batch.tokens = at::full({rows, length}, vocabulary.special(encoder::kPad), at::kLong);
  batch.tokens.select(1, 0).fill_(vocabulary.special(encoder::kCls));
  if (!equal) batch.key_mask = at::ones({rows, length}, at::kBool);
  for (int64_t row = 0; row < rows; ++row) {
    const auto& ids = sequences[static_cast<size_t>(row)];
    std::copy(ids.begin(), ids.end(), batch.tokens.data_ptr<int64_t>() + row * length + 1);
    if (!equal) {
      const auto end = static_cast<int64_t>(ids.size()) + 1;
      batch.key_mask[row].narrow(0, end, length - end).fill_(false);
    }
  }
  return batch;
}

// One vector per sequence, [N, D] fp64 on the CPU: the final state of [CLS], or the mean of the text's final states.
// work: counted in sequences.
inline Tensor represented(EvaluationContext& context, const std::vector<Sequence>& sequences,
                          const std::string& pooling, Work& work) {
  size_t longest = 1;
  for (const auto& sequence : sequences) longest = std::max(longest, sequence.size() + 1);
  const auto at_once = std::max<size_t>(static_cast<size_t>(context.tokens_per_forward()) / longest, 1);
  const auto out = at::empty({static_cast<int64_t>(sequences.size()), context.model().width()}, at::kDouble);
  for (size_t begin = 0; begin < sequences.size(); begin += at_once) {
    const auto end = std::min(begin + at_once, sequences.size());
    const std::vector<Sequence> some(sequences.begin() + static_cast<std::ptrdiff_t>(begin),
                                     sequences.begin() + static_cast<std::ptrdiff_t>(end));
    const auto batch = batch_of(some, context.vocabulary());
    const auto states = context.forward(batch).hidden().to(at::kCPU, at::kDouble);
    for (size_t i = begin; i < end; ++i) {
      const auto row = states[static_cast<int64_t>(i - begin)];
      const auto tokens = static_cast<int64_t>(sequences[i].size());
      out[static_cast<int64_t>(i)].copy_(pooling == "cls" ? row[0] : row.narrow(0, 1, tokens).mean(0));
    }
    work.add(static_cast<double>(some.size()));
  }
  return out;
}

// The finding at plan time for a model that is not bidirectional.
inline std::vector<std::string> findings_of_bidirectional(const Assembly& assembly) {
  if (!assembly.model->causal()) return {};
  return {"needs a bidirectional model, such as bert, and this one is causal"};
}

}  // namespace assay::evaluation
