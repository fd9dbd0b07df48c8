// Kind "dataset": documents by index, with splits. Access is random, and every call returns the same bytes.
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
  std::string text;  // bytes, in any encoding
  std::string id;    // unique within the dataset, and stable
  // Further columns, if the data has any. "place" is where the document is in its file ("norms.tsv:12"), for messages.
  std::map<std::string, std::string> fields;
};

// A text without its leading and trailing white space. Two documents with the same content are copies.
inline std::string_view content_of(std::string_view text) {
  constexpr const char* kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos ? "" : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// The requested shares of the data; the rest is the training split.
struct Fractions {
  double validation = 0, test = 0;
  bool of_documents = false;  // false: fractions of the bytes
};

class Dataset : public Component {
 public:
  ASSAY_KIND(Dataset, "dataset", ASSAY_KIND_HASH_DATASET);
  virtual int64_t size(Split split) const = 0;  // in documents; 0: there is no such split
  // A pure function of split and index; throws when the index is not in [0, size). Every document of the data is in
  // exactly one split.
  virtual Document document(Split split, int64_t index) const = 0;
  virtual std::vector<Source> sources() const = 0;  // at least one source
  // The requested fractions; nullopt when the data itself defines its splits. A plan reports the actual shares, and is
  // refused when they are far from the requested ones.
  virtual std::optional<Fractions> fractions() const { return std::nullopt; }
  // Counts of what was read, by name ("rows.split.train", "null.action-agree"); the record of a run lists them.
  virtual std::map<std::string, int64_t> counts() const { return {}; }
  // One sentence for each kind of irregularity that the data has and the dataset accepts, with its number. Plans,
  // records and the notes of tables show them.
  virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace assay
