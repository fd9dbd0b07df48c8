// Pieces of held-out text of one length, for evaluators that look at a sample of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "assay/evaluator.h"
#include "assay/tokenizer.h"

namespace assay::evaluation {

struct Block {
  std::string id;  // of the document, and where in it: "emma-3@512"
  std::vector<int32_t> ids;
};

// Every document is cut from its start into blocks of `length` tokens, what is left over at its end is not used, and of
// all blocks `count` are taken at even distances: all of them where there are no more. UserError when there is none.
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
  if (all.empty())
    throw UserError(std::string("no document of the split '") + name_of(context.split()) + "' is " +
                    std::to_string(length) + " tokens long; ask for shorter pieces or name another split");
  const auto available = static_cast<int64_t>(all.size());
  if (available <= count) return all;
  std::vector<Block> chosen;
  for (int64_t i = 0; i < count; ++i) chosen.push_back(std::move(all[static_cast<size_t>(i * available / count)]));
  return chosen;
}

}  // namespace assay::evaluation
