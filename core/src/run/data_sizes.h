// Sizes of a run's data, measured before it runs: documents, bytes and tokens of every split, and copies of training
// documents in the other splits.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "assay/dataset.h"
#include "run/assemble.h"

namespace assay::run {

struct SplitSize {
  int64_t documents = 0, bytes = 0;
  int64_t smallest = 0;  // bytes of the smallest document with text
  // Documents whose text is also in train, apart from surrounding white space and line ends.
  int64_t copies = 0, copied_bytes = 0;
};
using SplitSizes = std::array<SplitSize, 3>;  // by Split

// Depends only on the dataset, not on the tokenizer.
struct MeasuredData {
  SplitSizes splits;
  std::vector<int64_t> train_documents;  // bytes of each
};

struct EpochSize {
  int64_t tokens = 0;      // of train, including ends of text: the targets of an epoch, before transforms
  bool estimated = false;  // from a sample of the text
  // Of rows that a transform makes (Stage::kSequences). Tokens then include their padding.
  int64_t sequences = 0;
  double filled = 0;       // fraction of the tokens that is not padding
  std::string fault = {};  // why some document has no rows; empty: none was found
};

// Measures each dataset, each combination with a tokenizer and each one with an evaluator only once, however many runs
// of a plan use it.
class DataSizes {
 public:
  const SplitSizes& splits(const Assembled& run);
  const EpochSize& epoch(const Assembled& run);
  const SplitFindings& findings(const Assembled& run, const LabelledEvaluator& entry);

 private:
  const MeasuredData& measured_data(const Assembled& run);
  std::map<std::string, MeasuredData> measured_;
  std::map<std::string, EpochSize> epochs_;
  std::map<std::string, SplitFindings> findings_;
};

// Errors in the data, as path in the experiment and message.
std::vector<std::pair<std::string, std::string>> data_faults(const Assembled& run, DataSizes& sizes);
// Notes about the data for the plan.
std::vector<std::string> data_notes(const Assembled& run, DataSizes& sizes);
// One sentence: the size of every split, and its requested share of the data.
std::string data_summary(const Assembled& run, DataSizes& sizes);

}  // namespace assay::run
