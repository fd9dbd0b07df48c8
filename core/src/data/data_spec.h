// What a run's training data is made of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "assay/dataset.h"
#include "assay/transform.h"

namespace assay::data {

struct DataSpec {
  const Dataset* dataset;
  const Vocabulary* vocabulary;
  std::vector<const Transform*> transforms;  // all stages, in order
  int64_t context;                           // T
  uint64_t seed;
  std::string key;               // hash by the caller of all else that affects the stream (data, transforms, code)
  std::filesystem::path folder;  // of materialised epochs; shared between runs
  int64_t unread = 0;            // last tokens of a sequence that no objective reads (Needs::unread)
  int64_t stride() const { return context - unread; }
};

}  // namespace assay::data
