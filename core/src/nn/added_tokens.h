// Rows of the token table for special tokens that start as words (SpecialTokens::declare).
#pragma once

#include <cstdint>
#include <vector>

#include "assay/mesh.h"
#include "assay/parameters.h"

namespace assay::nn {

struct AddedToken {
  int64_t id;
  std::vector<int64_t> words;  // ids of the tokens whose mean row it starts as
};

// Sets the rows of the token tables, which are embeddings with `vocabulary` rows without padding. The mean is computed
// in fp64 and in the order of the words, so it has the same bits on every mesh.
void start_as_words(const std::vector<AddedToken>& tokens, int64_t vocabulary, std::vector<Parameter>& parameters,
                    const Mesh& mesh);

}  // namespace assay::nn
