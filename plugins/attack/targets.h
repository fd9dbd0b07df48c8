// The texts that a trigger search makes a model say: the user's file, or planted ones. None ships with assay.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "../shared/dialogue.h"
#include "assay/dialogue.h"
#include "assay/tokenizer.h"

namespace assay::attacks {

// One text per line of a file; without a file, the first `count` toxic turns of training that the dataset knows. Their
// tokens. UserError where there are none.
inline std::vector<std::vector<int32_t>> targets(EvaluationContext& context, const Path& file, int64_t count) {
  std::vector<std::string> texts;
  if (!file.file.empty()) {
    std::ifstream lines(file.file);
    for (std::string line; std::getline(lines, line);)
      if (line.find_first_not_of(" \t\r") != std::string::npos) texts.push_back(line);
    if (texts.empty()) throw UserError("targets: " + file.file + " has no text; write one target per line");
  } else {
    const auto& dataset = context.dataset();
    for (int64_t i = 0; i < dataset.size(Split::kTrain) && static_cast<int64_t>(texts.size()) < count; ++i)
      for (const auto& turn : dialogue::turns_of(dataset.document(Split::kTrain, i)))
        if (!turn.toxic.empty() && static_cast<int64_t>(texts.size()) < count) texts.push_back(turn.text);
    if (texts.empty())
      throw UserError(
          "targets: the dataset marks no turn as toxic, so the targets must be named; set targets to a file "
          "with one text per line");
  }
  std::vector<std::vector<int32_t>> ids;
  for (const auto& text : texts) ids.push_back(context.vocabulary().tokenizer().encode(text));
  return ids;
}

}  // namespace assay::attacks
