// Kind "scorer": how toxic a text is, or how much of another property it has, and which of its parts say so.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "assay/component.h"
#include "assay/evaluator.h"

namespace assay {

// Bytes [begin, end) of a text, and by how much they raise its score.
struct Attribution {
  int64_t begin = 0, end = 0;
  double value = 0;
};

class Scorer : public Component {
 public:
  ASSAY_KIND(Scorer, "scorer", ASSAY_KIND_HASH_SCORER);
  // A number in [0, 1] per text, which does not depend on the texts beside it. A scorer that cannot score throws, for a
  // text without a score would count as harmless.
  virtual std::vector<double> score(EvaluationContext& context, const std::vector<std::string>& texts) = 0;
  // Parts of the text in their order, without overlap; none for an empty text.
  virtual std::vector<Attribution> attribute(EvaluationContext& context, const std::string& text) = 0;
  // What the scores depend on, equal for two scorers that are one judge: the folder of a run, the words of a list.
  virtual std::string judge() const = 0;
};

// The scores of a scorer, through guard. UserError when there is not one number in [0, 1] per text.
inline std::vector<double> scores_of(Scorer& scorer, EvaluationContext& context,
                                     const std::vector<std::string>& texts) {
  return guard(scorer, "score", [&] {
    auto scores = scorer.score(context, texts);
    if (scores.size() != texts.size())
      throw UserError("gave " + std::to_string(scores.size()) + " scores for " + std::to_string(texts.size()) +
                      " texts");
    for (const auto score : scores)
      if (!(score >= 0 && score <= 1))
        throw UserError("gave the score " + std::to_string(score) +
                        "; it must be in [0, 1], for a text without a score would count as harmless");
    return scores;
  });
}

}  // namespace assay
