// A materialised epoch on disk, mapped read-only: tokens with optional weights and segments. They are one stream to cut
// into sequences, or sequences one after another, which are not cut.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace assay::data {

using ChannelSizes = std::vector<std::pair<std::string, int64_t>>;  // numbers per sequence, by name of the channel

struct EpochContent {
  std::vector<int32_t> tokens;
  std::vector<float> loss_weight;  // empty: all 1
  std::vector<int32_t> segment;    // empty: all 0
  // Only of sequences.
  std::vector<int64_t> begins;  // of each sequence in tokens, and the end of the last one; empty: one stream
  std::vector<int32_t> source;  // number of first tokens that are the source, per sequence
  ChannelSizes channel_sizes;
  std::vector<float> channels;  // of each sequence, in the order of channel_sizes
};

class EpochFile {
 public:
  // Throws UserError when the file cannot be read or is corrupt.
  explicit EpochFile(const std::filesystem::path& file);
  ~EpochFile();
  EpochFile(const EpochFile&) = delete;

  static void write(const std::filesystem::path& file, const EpochContent& content);

  int64_t size() const { return size_; }  // in tokens
  int32_t token(int64_t i) const { return tokens_[i]; }
  bool has_weights() const { return weights_ != nullptr; }
  float weight(int64_t i) const { return weights_ ? weights_[i] : 1.0F; }
  bool has_segments() const { return segments_ != nullptr; }
  int32_t segment(int64_t i) const { return segments_ ? segments_[i] : 0; }

  bool is_stream() const { return begins_ == nullptr; }
  int64_t sequences() const { return sequences_; }
  int64_t begin(int64_t sequence) const { return begins_[sequence]; }  // up to and including sequences()
  int32_t source(int64_t sequence) const { return source_[sequence]; }
  const ChannelSizes& channel_sizes() const { return channel_sizes_; }
  const float* channels(int64_t sequence) const { return channels_ + sequence * channel_width_; }

 private:
  struct Header;
  // Sets the pointers; false when the content does not fit the header.
  bool divide(const Header& header);

  void* mapping_ = nullptr;
  size_t bytes_ = 0;
  int64_t size_ = 0, sequences_ = 0, channel_width_ = 0;
  const int32_t* tokens_ = nullptr;
  const float* weights_ = nullptr;
  const int32_t* segments_ = nullptr;
  const int64_t* begins_ = nullptr;
  const int32_t* source_ = nullptr;
  const float* channels_ = nullptr;
  ChannelSizes channel_sizes_;
};

}  // namespace assay::data
