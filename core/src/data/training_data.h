// Training data as sequences: the documents of an epoch are shuffled, transformed, tokenised and packed into one stream
// in a mapped file, which is cut into sequences of T + 1 tokens, which are shuffled. The step number alone determines
// the sequences of a step.
//
// The stream of an epoch has the form that evaluation reads: an end of text, then every document followed by an end of
// text. Every token except the first is a target exactly once per epoch: sequence i is tokens i T .. i T + T. The last
// sequence continues with the beginning of the same stream, where targets have weight 0. An epoch therefore has as many
// sequences as its stream fills, the last one partly. If objectives do not read the last tokens of a sequence, the next
// sequence begins with them: sequence i is tokens i (T - unread) .. i (T - unread) + T. Epochs differ in length only if
// a transform may change the length of documents; the beginning of such an epoch is then computed from the epochs
// before it and stored in checkpoints.
//
// With a transform of stage sequences nothing is packed: a row is one of its sequences, with an end of text before it
// and padding behind it, and an epoch is all sequences of all documents once, shuffled together.
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
#include "data/data_spec.h"

namespace assay::data {

class EpochFile;

class TrainingData {
 public:
  // Materialises epoch 0 unless it exists. Throws UserError when the corpus is shorter than one sequence. begins:
  // epoch_begins() of an earlier reader, so that epochs before the one it had reached are not needed again.
  explicit TrainingData(const DataSpec& spec, std::vector<int64_t> begins = {0});
  ~TrainingData();

  // Number of sequences of one epoch; equal for all epochs if no transform may change the length of a document.
  int64_t contexts_of(int64_t epoch) const;

  // The first rows of epochs, as far as they have been computed; {0} if all epochs have the same length.
  const std::vector<int64_t>& epoch_begins() const { return begins_; }

  // Rows [begin, end) of the endless stream of shuffled sequences, as tokens and targets [rows, T]; row_id starts at
  // first_row_id. Padding is excluded by the key mask and has target weight 0. Epochs are materialised when they are
  // reached.
  Batch rows(int64_t begin, int64_t end, int64_t first_row_id);

 private:
  struct Epoch;
  std::filesystem::path file_of(int64_t epoch) const;  // materialised
  int64_t epoch_of(int64_t row);
  int64_t begin_of(int64_t epoch) const;
  Epoch& epoch(int64_t number);
  Sample cut(const EpochFile& file, int64_t place) const;
  Sample context(const Epoch& epoch, int64_t place) const;

  DataSpec spec_;
  int64_t first_contexts_ = 0;                 // of epoch 0
  bool lengths_vary_ = false;                  // between epochs
  std::vector<int64_t> begins_;                // if so: the first rows of epochs, as far as computed
  std::unique_ptr<Epoch> current_, previous_;  // a batch may span two
};

// Must be called on every rank of a mesh: the first rank materialises the first epoch to read, the others find the
// file.
std::unique_ptr<TrainingData> open_training_data(const DataSpec& spec, const Mesh& mesh,
                                                 const std::vector<int64_t>& begins = {0});

}  // namespace assay::data
