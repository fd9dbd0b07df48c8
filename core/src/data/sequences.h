// Sequences that a transform makes of documents (Stage::kSequences): they are padded and never packed.
#pragma once

#include <vector>

#include "assay/random.h"
#include "data/data_spec.h"
#include "data/epoch_file.h"

namespace assay::data {

// The draws of transform `number` for a sample of an epoch.
Draws transform_draws(const DataSpec& spec, size_t number, int64_t epoch, int64_t sample);

bool makes_sequences(const DataSpec& spec);

// The sequences of training document `index`, each with the end of text before it. UserError when one has more than
// T tokens, or breaks another promise of Transform::sequences.
std::vector<Sample> sequences_of(const DataSpec& spec, int64_t epoch, int64_t index);

EpochContent materialised_sequences(const DataSpec& spec, int64_t epoch);

// A sequence of the file, padded to T + 1 tokens by ends of text that its key mask excludes.
Sample padded_sequence(const EpochFile& file, int64_t sequence, const DataSpec& spec);

}  // namespace assay::data
