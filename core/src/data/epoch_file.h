// A materialised epoch on disk: one stream of tokens with optional weights and segments, mapped read-only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace assay::data {

struct EpochContent {
  std::vector<int32_t> tokens;
  std::vector<float> loss_weight;  // empty: all 1
  std::vector<int32_t> segment;    // empty: all 0
};

class EpochFile {
 public:
  // Throws UserError when the file cannot be read or is corrupt.
  explicit EpochFile(const std::filesystem::path& file);
  ~EpochFile();
  EpochFile(const EpochFile&) = delete;

  static void write(const std::filesystem::path& file, const EpochContent& content);

  int64_t size() const { return size_; }
  int32_t token(int64_t i) const { return tokens_[i]; }
  bool has_weights() const { return weights_ != nullptr; }
  float weight(int64_t i) const { return weights_ ? weights_[i] : 1.0F; }
  bool has_segments() const { return segments_ != nullptr; }
  int32_t segment(int64_t i) const { return segments_ ? segments_[i] : 0; }

 private:
  void* mapping_ = nullptr;
  size_t bytes_ = 0;
  int64_t size_ = 0;
  const int32_t* tokens_ = nullptr;
  const float* weights_ = nullptr;
  const int32_t* segments_ = nullptr;
};

}  // namespace assay::data
