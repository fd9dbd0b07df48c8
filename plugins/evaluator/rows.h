// Rows that a transform makes of held-out documents (Stage::kSequences), and batches of them.
#pragma once

#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "assay/evaluator.h"
#include "assay/transform.h"

namespace assay::evaluation {

// Indices of `count` evenly spaced documents of a split of `size`; 0: all.
inline std::vector<int64_t> evenly_spaced(int64_t size, int64_t count) {
  std::vector<int64_t> indices;
  const auto number = count > 0 ? std::min(count, size) : size;
  for (int64_t i = 0; i < number; ++i) indices.push_back(i * size / number);
  return indices;
}

// "document 'id' (file:line)", for messages.
inline std::string place_of(const Document& document) {
  const auto place = document.fields.find("place");
  return "document '" + document.id + "'" + (place == document.fields.end() ? "" : " (" + place->second + ")");
}

// The rows of a document, each with the end of text before it. UserError when a row is not what the interface promises.
inline std::vector<Sample> rows_of(const Transform& transform, const Document& document, const Draws& draws,
                                   int64_t end_of_text) {
  auto samples = guard(transform, "sequences", [&] { return transform.sequences(document, draws); });
  for (auto& sample : samples) {
    const auto size = sample.tokens.size();
    const auto fits = [&](const auto& values) { return values.empty() || values.size() == size; };
    if (!fits(sample.loss_weight) || !fits(sample.segment) || sample.source < 0 ||
        sample.source >= static_cast<int64_t>(size))
      throw UserError(place_of(document) + ", view '" + sample.view +
                      "': weights, segments or the source do not fit the row's " + std::to_string(size) + " tokens");
    sample.id = document.id;
    sample.tokens.insert(sample.tokens.begin(), static_cast<int32_t>(end_of_text));
    if (!sample.loss_weight.empty()) sample.loss_weight.insert(sample.loss_weight.begin(), 0.0F);
    if (!sample.segment.empty()) sample.segment.insert(sample.segment.begin(), sample.segment.front());
    ++sample.source;
  }
  return samples;
}
// The same in an evaluation; draws are keyed by the document's index.
inline std::vector<Sample> rows_of(EvaluationContext& context, const Transform& transform, const Document& document,
                                   int64_t index) {
  return rows_of(transform, document, context.draws().substream(static_cast<uint64_t>(index)),
                 context.vocabulary().special(kEndOfText));
}

// What an evaluation of such rows would fail of, at plan time: a document that has no row in the transform's terms, or
// whose row is longer than those of training may be. At most 5,000 documents are looked at.
inline SplitFindings findings_of_rows(const SplitToCheck& check, const Transform* transform, int64_t documents) {
  if (!transform || transform->stage() != Stage::kSequences) return {};
  constexpr int64_t kMost = 5000;
  const Draws draws(1, "plan");
  try {
    const auto count = documents > 0 ? std::min(documents, kMost) : kMost;
    for (const auto index : evenly_spaced(check.dataset.size(check.split), count)) {
      const auto document = check.dataset.document(check.split, index);
      for (const auto& row : rows_of(*transform, document, draws.substream(static_cast<uint64_t>(index)), 0))
        if (const auto tokens = static_cast<int64_t>(row.tokens.size()); tokens > check.training_context)
          return {{place_of(document) + ", view '" + row.view + "': the row has " + std::to_string(tokens) +
                   " tokens, including the end of text before it, and those of training at most " +
                   std::to_string(check.training_context) + "; set data.context to " + std::to_string(tokens) +
                   " or more, or let the transform cut it"},
                  {}};
    }
  } catch (const std::exception& error) {
    return {{error.what()}, {}};
  }
  return {};
}

// A batch of rows [first, last); shorter ones are padded at their end. As in training, every token is read, and the
// last one of a row predicts nothing.
inline Batch batch_of(const std::vector<Sample>& rows, size_t first, size_t last, const Vocabulary& vocabulary) {
  size_t longest = 1;
  for (size_t i = first; i < last; ++i) longest = std::max(longest, rows[i].tokens.size());
  const auto B = static_cast<int64_t>(last - first), T = static_cast<int64_t>(longest);
  Batch batch;
  batch.tokens = at::full({B, T}, vocabulary.special(kEndOfText), at::kLong);
  batch.targets = batch.tokens.clone();
  batch.loss_weight = at::zeros({B, T}, at::kFloat);
  batch.key_mask = at::zeros({B, T}, at::kBool);
  batch.source_length = at::ones({B}, at::kLong);
  const bool has_segments =
      std::any_of(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.begin() + static_cast<std::ptrdiff_t>(last),
                  [](const Sample& row) { return !row.segment.empty(); });
  if (has_segments) batch.segment = at::zeros({B, T}, at::kLong);
  for (int64_t b = 0; b < B; ++b) {
    const auto& row = rows[first + static_cast<size_t>(b)];
    for (size_t i = 0; i < row.tokens.size(); ++i) {
      const auto at = b * T + static_cast<int64_t>(i);
      batch.tokens.data_ptr<int64_t>()[at] = row.tokens[i];
      batch.key_mask.data_ptr<bool>()[at] = true;
      if (!row.segment.empty()) batch.segment.data_ptr<int64_t>()[at] = row.segment[i];
      if (i == 0) continue;
      batch.targets.data_ptr<int64_t>()[at - 1] = row.tokens[i];
      batch.loss_weight.data_ptr<float>()[at - 1] = row.loss_weight.empty() ? 1.0F : row.loss_weight[i];
    }
    batch.source_length.data_ptr<int64_t>()[b] = row.source;
    for (const auto& [name, values] : row.channels) {
      auto& channel = batch.channels[name];
      const auto size = static_cast<int64_t>(values.size());
      if (!channel.defined()) channel = at::zeros({B, size}, at::kFloat);
      if (channel.size(1) != size)
        throw UserError("the channel '" + name + "' has rows of different sizes; a transform must give all the same");
      std::copy(values.begin(), values.end(), channel.data_ptr<float>() + b * size);
    }
  }
  return batch;
}

// Calls use(first, last, batch) for consecutive batches of rows, of at most tokens_per_forward tokens.
inline void each_batch(EvaluationContext& context, const std::vector<Sample>& rows, const auto& use) {
  const auto most = static_cast<size_t>(context.tokens_per_forward());
  for (size_t first = 0; first < rows.size();) {
    size_t last = first, longest = 0;
    for (; last < rows.size(); ++last) {
      longest = std::max(longest, rows[last].tokens.size());
      if (last > first && longest * (last - first + 1) > most) break;
    }
    use(first, last, batch_of(rows, first, last, context.vocabulary()));
    context.progress(static_cast<double>(last) / static_cast<double>(rows.size()));
    first = last;
  }
}

}  // namespace assay::evaluation
