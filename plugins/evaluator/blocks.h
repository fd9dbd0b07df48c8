// Pieces of held-out text of equal length, for evaluators that use a sample of a split.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/evaluator.h"
#include "assay/tokenizer.h"
#include "bounded_text.h"

namespace assay::evaluation {

struct Block {
  std::string id;  // of the document, and the offset in it: "emma-3@512"
  std::vector<int32_t> ids;
};

inline std::string too_short(Split split, int64_t length) {
  return std::string("no document of the split '") + name_of(split) + "' is " + std::to_string(length) +
         " tokens long; use shorter pieces or another split";
}

// What even_blocks would refuse, at plan time; the `least` blocks may be of one document. A document of fewer bytes
// than a block has tokens holds none. Nothing is reported where text was left out that may hold one.
inline SplitFindings findings_of_blocks(const SplitToCheck& check, int64_t length, int64_t least = 1) {
  BoundedEncoder encoder(check.tokenizer);
  int64_t found = 0;
  for (int64_t i = 0; i < check.dataset.size(check.split) && found < least && !encoder.is_used_up(); ++i) {
    const auto text = check.dataset.document(check.split, i).text;
    if (static_cast<int64_t>(text.size()) >= length)
      found += static_cast<int64_t>(encoder.encode(text, least * length).size()) / length;
  }
  if (found < least && (encoder.is_cut() || encoder.is_used_up())) return {};
  if (found == 0) return {{too_short(check.split, length)}, {}};
  if (found < least)
    return {{"needs " + std::to_string(least) + " pieces of " + std::to_string(length) + " tokens, and the split '" +
             name_of(check.split) + "' has " + std::to_string(found) + "; use shorter pieces or another split"},
            {}};
  return {};
}

// Cuts every document from its start into blocks of `length` tokens, without the rest at its end, and takes `count`
// evenly spaced ones of all blocks, or all where there are fewer. UserError where there is none.
inline std::vector<Block> even_blocks(EvaluationContext& context, int64_t length, int64_t count) {
  const auto& dataset = context.dataset();
  const auto& tokenizer = context.vocabulary().tokenizer();
  std::vector<Block> all;
  for (int64_t i = 0; i < dataset.size(context.split()); ++i) {
    const auto document = dataset.document(context.split(), i);
    const auto ids = tokenizer.encode(document.text);
    for (size_t begin = 0; begin + static_cast<size_t>(length) <= ids.size(); begin += static_cast<size_t>(length)) {
      const auto from = ids.begin() + static_cast<std::ptrdiff_t>(begin);
      all.push_back({document.id + "@" + std::to_string(begin), {from, from + length}});
    }
  }
  if (all.empty()) throw UserError(too_short(context.split(), length));
  const auto available = static_cast<int64_t>(all.size());
  if (available <= count) return all;
  std::vector<Block> chosen;
  for (int64_t i = 0; i < count; ++i) chosen.push_back(std::move(all[static_cast<size_t>(i * available / count)]));
  return chosen;
}

}  // namespace assay::evaluation
