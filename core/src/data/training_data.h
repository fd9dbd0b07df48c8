// Training data as contexts: an epoch's documents, shuffled, transformed, tokenised and packed into one stream in a
// mapped file; contexts of T + 1 tokens, shuffled. A step number alone says which contexts it sees.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "assay/batch.h"
#include "assay/dataset.h"
#include "assay/mesh.h"
#include "assay/tokenizer.h"
#include "assay/transform.h"

namespace assay {

struct DataSpec {
  const Dataset* dataset;
  const Vocabulary* vocabulary;
  std::vector<const Transform*> transforms;  // all stages, in order
  int64_t context;                           // T
  uint64_t seed;
  std::string key;               // everything else the stream depends on (data, transforms, code), hashed by the caller
  std::filesystem::path folder;  // of materialised epochs; shared between runs
};

class TrainingData {
 public:
  // Materialises epoch 0 unless it is there. UserError when the corpus is shorter than one context.
  explicit TrainingData(const DataSpec& spec);
  ~TrainingData();

  // The same for every epoch: of the untransformed corpus, each token a target once.
  int64_t contexts_per_epoch() const { return contexts_; }

  // Rows [begin, end) of the endless shuffled sequence of contexts, as tokens and targets [rows, T]; row_id counts from
  // first_row_id. Padding has a key mask and no weight as a target. Epochs are materialised as they are reached.
  Batch rows(int64_t begin, int64_t end, int64_t first_row_id);

 private:
  struct Epoch;
  Epoch& epoch(int64_t number);
  Sample context(Epoch& epoch, int64_t index) const;

  DataSpec spec_;
  int64_t contexts_ = 0;
  std::unique_ptr<Epoch> current_, previous_;  // a batch may straddle two
};

// On every rank of a mesh: the first materialises epoch 0, the others find the file.
std::unique_ptr<TrainingData> open_training_data(const DataSpec& spec, const Mesh& mesh);

}  // namespace assay
