// Kind "dataset": documents by index, with splits. Random access; the same bytes on every call.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "assay/component.h"

namespace assay {

enum class Split { kTrain, kValidation, kTest };

inline const char* name_of(Split split) {
  return split == Split::kTrain ? "train" : split == Split::kValidation ? "validation" : "test";
}

struct Document {
  std::string text;                           // bytes, whatever the encoding
  std::string id;                             // unique within the dataset, stable
  std::map<std::string, std::string> fields;  // further columns, where the data has them
};

class Dataset : public Component {
 public:
  ASSAY_KIND(Dataset, "dataset", ASSAY_KIND_HASH_DATASET);
  virtual int64_t size(Split split) const = 0;  // documents; 0 where there is no such split
  // A pure function of its place; what is not within [0, size) is refused. Every document of the data is in one split.
  virtual Document document(Split split, int64_t index) const = 0;
  virtual std::vector<Source> sources() const = 0;  // at least one
};

}  // namespace assay
