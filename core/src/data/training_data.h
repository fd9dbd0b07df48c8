// Training data as contexts: an epoch's documents, shuffled, transformed, tokenised and packed into one stream in a
// mapped file; contexts of T + 1 tokens, shuffled. A step number alone says which contexts it sees.
//
// An epoch's stream is what evaluation reads: the end of text, then every document with an end of text behind it. All
// tokens but the first are targets of the epoch, each once: context i is tokens i T .. i T + T. The last context goes
// on with the beginning of the same stream, where the targets have weight 0. So an epoch has as many contexts as its
// own stream fills, the last one in part. Where objectives leave the last tokens of a context unread, the next context
// begins with them: context i is tokens i (T - unread) .. i (T - unread) + T. Only transforms that may change the
// length of documents make epochs differ in it; where such an epoch begins is then counted from those before it, and
// kept by checkpoints.
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

namespace assay::data {

struct DataSpec {
  const Dataset* dataset;
  const Vocabulary* vocabulary;
  std::vector<const Transform*> transforms;  // all stages, in order
  int64_t context;                           // T
  uint64_t seed;
  std::string key;               // everything else the stream depends on (data, transforms, code), hashed by the caller
  std::filesystem::path folder;  // of materialised epochs; shared between runs
  int64_t unread = 0;            // last tokens of a context that no objective reads (Needs::unread)
  int64_t stride() const { return context - unread; }
};

class TrainingData {
 public:
  // Materialises epoch 0 unless it is there. UserError when the corpus is shorter than one context.
  // begins: epoch_begins() of an earlier reader, so that no epoch before the one it had reached is needed again.
  explicit TrainingData(const DataSpec& spec, std::vector<int64_t> begins = {0});
  ~TrainingData();

  // Of one epoch; of all where no transform may change the length of a document.
  int64_t contexts_of(int64_t epoch) const;

  // The first rows of epochs, as far as they had to be counted; {0} where all epochs are of one length.
  const std::vector<int64_t>& epoch_begins() const { return begins_; }

  // Rows [begin, end) of the endless shuffled sequence of contexts, as tokens and targets [rows, T]; row_id counts from
  // first_row_id. Padding has a key mask and no weight as a target. Epochs are materialised as they are reached.
  Batch rows(int64_t begin, int64_t end, int64_t first_row_id);

 private:
  struct Epoch;
  std::filesystem::path file_of(int64_t epoch) const;  // materialised
  int64_t epoch_of(int64_t row);
  int64_t begin_of(int64_t epoch) const;
  Epoch& epoch(int64_t number);
  Sample context(const Epoch& epoch, int64_t place) const;

  DataSpec spec_;
  int64_t first_contexts_ = 0;   // of epoch 0
  bool lengths_vary_ = false;    // between epochs
  std::vector<int64_t> begins_;  // where they do: the first rows of epochs, as far as they have been counted
  std::unique_ptr<Epoch> current_, previous_;  // a batch may straddle two
};

// On every rank of a mesh: the first materialises the epoch that is read first, the others find the file.
std::unique_ptr<TrainingData> open_training_data(const DataSpec& spec, const Mesh& mesh,
                                                 const std::vector<int64_t>& begins = {0});

}  // namespace assay::data
