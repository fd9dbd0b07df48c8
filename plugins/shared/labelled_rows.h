// Rows of a text classifier: one or two texts, with an end of text between them, as in BERT's sentence pairs (Devlin et
// al. 2019, arXiv:1810.04805, sec. 3.1); the core puts one before them, whose state a bidirectional model classifies
// by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/component.h"
#include "assay/tokenizer.h"
#include "list_cells.h"

namespace assay::labelled {

inline constexpr const char* kChannel = "label";  // [B, classes]: 1 for every class of a row; all 0: none, or unknown

// max_tokens: of each text; 0: all.
inline std::vector<int32_t> row_of(const std::vector<std::string>& texts, const Vocabulary& vocabulary,
                                   int64_t max_tokens) {
  std::vector<int32_t> ids;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) ids.push_back(static_cast<int32_t>(vocabulary.special(kEndOfText)));
    auto own = vocabulary.tokenizer().encode(texts[i]);
    if (max_tokens > 0 && static_cast<int64_t>(own.size()) > max_tokens) own.resize(static_cast<size_t>(max_tokens));
    ids.insert(ids.end(), own.begin(), own.end());
  }
  return ids;
}

// What is wrong when the rows have labels of other classes than a classifier, or in another order; empty: nothing.
inline std::string mismatch(const std::vector<std::string>& of_rows, const std::vector<std::string>& of_classifier) {
  if (of_rows.empty() || of_rows == of_classifier) return "";
  return "the transform's classes are " + cells::joined(of_rows, ", ") + ", and the classifier's " +
         cells::joined(of_classifier, ", ") + "; list the same classes in the same order in both";
}

}  // namespace assay::labelled
