// Splits: what the datasets here have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "assay/dataset.h"
#include "assay/error.h"
#include "assay/random.h"

namespace assay::dataset {

// The split of a document by a hash of its name or text, so that it keeps its split when other documents come or go.
inline Split hashed_split(std::string_view name, double validation_fraction, double test_fraction) {
  const auto place = static_cast<double>(stream_key(0, name) >> 11) * 0x1p-53;  // in [0, 1)
  return place < test_fraction                         ? Split::kTest
         : place < test_fraction + validation_fraction ? Split::kValidation
                                                       : Split::kTrain;
}

// UserError where the fractions leave no training data. `dataset` is its name.
inline void check_fractions(const std::string& dataset, double validation_fraction, double test_fraction) {
  if (validation_fraction + test_fraction >= 1)
    throw UserError(dataset +
                    ": validation_fraction + test_fraction must be below 1; there is no training data otherwise");
}

// UserError where the split has no document of this index.
inline void check_index(const std::string& dataset, Split split, int64_t index, int64_t size) {
  if (index < 0 || index >= size)
    throw UserError(dataset + ": no document " + std::to_string(index) + " in split '" + name_of(split) +
                    "', which has " + std::to_string(size));
}

}  // namespace assay::dataset
