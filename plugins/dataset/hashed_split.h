// Which split a document is in by a hash of its name, or of its text: it stays there whatever other documents come or
// go.
#pragma once

#include <string_view>

#include "assay/dataset.h"
#include "assay/random.h"

namespace assay::dataset {

inline Split hashed_split(std::string_view name, double validation_fraction, double test_fraction) {
  const auto place = static_cast<double>(stream_key(0, name) >> 11) * 0x1p-53;  // in [0, 1)
  return place < test_fraction                         ? Split::kTest
         : place < test_fraction + validation_fraction ? Split::kValidation
                                                       : Split::kTrain;
}

}  // namespace assay::dataset
