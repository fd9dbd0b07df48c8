// What a run's data comes to, found before it runs: documents, bytes and tokens of every split, and copies of training
// texts in the others.
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
  int64_t smallest = 0;  // bytes of the smallest document that holds text
  // Documents whose text, but for white space around it and for line ends, train has, too.
  int64_t copies = 0, copied_bytes = 0;
};
using SplitSizes = std::array<SplitSize, 3>;  // by Split

// Of a dataset alone, whatever the tokenizer.
struct MeasuredData {
  SplitSizes splits;
  std::vector<int64_t> train_documents;  // bytes of each
};

struct EpochSize {
  int64_t tokens = 0;      // of train, the ends of documents included: the targets of an epoch, before transforms
  bool estimated = false;  // from a part of the text
};

// Each dataset, with a tokenizer and with an evaluator, is looked at once, however many runs of a plan have it.
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

// What of the data cannot work, as path in the experiment and message.
std::vector<std::pair<std::string, std::string>> data_faults(const Assembled& run, DataSizes& sizes);
// What whoever plans should know before it runs.
std::vector<std::string> data_notes(const Assembled& run, DataSizes& sizes);
// One sentence: what every split holds, and the share of the data that it was asked to be.
std::string data_summary(const Assembled& run, DataSizes& sizes);

}  // namespace assay::run
