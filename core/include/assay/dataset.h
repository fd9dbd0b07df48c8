// Kind "dataset": documents by index, with splits. Random access; the same bytes on every call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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

// A text without the white space around it: two documents in which it is the same are copies.
inline std::string_view content_of(std::string_view text) {
  constexpr const char* kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// The shares of the data that splits were asked to be; the rest is train.
struct Fractions {
  double validation = 0, test = 0;
  bool of_documents = false;  // else of the bytes
};

class Dataset : public Component {
 public:
  ASSAY_KIND(Dataset, "dataset", ASSAY_KIND_HASH_DATASET);
  virtual int64_t size(Split split) const = 0;  // documents; 0 where there is no such split
  // A pure function of its place; what is not within [0, size) is refused. Every document of the data is in one split.
  virtual Document document(Split split, int64_t index) const = 0;
  virtual std::vector<Source> sources() const = 0;  // at least one
  // Nothing where the data itself says what is in which split. A plan reports the shares that were reached, and refuses
  // those that are far from what was asked.
  virtual std::optional<Fractions> fractions() const { return std::nullopt; }
};

}  // namespace assay
