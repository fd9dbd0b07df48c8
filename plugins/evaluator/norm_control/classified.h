// The attribute of texts as the classifier of another run reads it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "../../shared/labelled_rows.h"
#include "../../shared/norm_columns.h"
#include "../rows.h"
#include "assay/evaluator.h"

namespace assay::norms {

// By row of texts, the value of the column that the classifier finds, or the values of a list, sorted. UserError when
// the run does not classify, or its classes are not values of the column.
inline std::vector<std::vector<std::string>> classified(TrainedRun& run, size_t column,
                                                        const std::vector<std::vector<std::string>>& texts,
                                                        int64_t max_text_tokens) {
  auto* const classifier = run.classifier();
  if (!classifier) throw UserError("classifier: that run has no objective that classifies; name a run of 'classifier'");
  const auto classes = classifier->classes();
  const auto values = values_of(column);
  for (const auto& name : classes)
    if (std::find(values.begin(), values.end(), name) == values.end())
      throw UserError("classifier: its class '" + name + "' is not a value of " + columns()[column].name +
                      ", whose values are " + cells::joined(values, ", ") + "; name a run that learns this attribute");

  // Rows as in the classifier's training.
  const auto end_of_text = static_cast<int32_t>(run.vocabulary().special(kEndOfText));
  std::vector<Sample> rows;
  for (const auto& row_texts : texts) {
    auto& row = rows.emplace_back();
    row.tokens = labelled::row_of(row_texts, run.vocabulary(), max_text_tokens);
    row.tokens.insert(row.tokens.begin(), end_of_text);
    row.source = 1;
  }

  // The classes that are on: the best one, or all with a score above 0.
  std::vector<std::vector<std::string>> found(rows.size());
  constexpr size_t kAtOnce = 32;
  for (size_t first = 0; first < rows.size(); first += kAtOnce) {
    const auto last = std::min(first + kAtOnce, rows.size());
    const auto batch = evaluation::batch_of(rows, first, last, run.vocabulary());
    const auto score_BC = classifier->class_scores(run.forward(batch)).to(at::kCPU, at::kDouble).contiguous();
    for (size_t i = first; i < last; ++i) {
      const auto* scores = score_BC.const_data_ptr<double>() + (i - first) * classes.size();
      const auto best = static_cast<size_t>(std::max_element(scores, scores + classes.size()) - scores);
      for (size_t c = 0; c < classes.size(); ++c)
        if (classifier->has_several_labels() ? scores[c] > 0 : c == best) found[i].push_back(classes[c]);
      std::sort(found[i].begin(), found[i].end());
    }
  }
  return found;
}

}  // namespace assay::norms
