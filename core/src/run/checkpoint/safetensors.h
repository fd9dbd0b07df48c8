// The safetensors format: eight bytes of header length, a JSON header {name: {dtype, shape, data_offsets}}, the bytes.
// https://github.com/huggingface/safetensors#format
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/tensor.h"

namespace assay::run {

struct NamedTensor {
  std::string name;
  Tensor value;  // on the CPU, contiguous
};

// Writes the tensors in the given order and syncs the file. Throws UserError when it cannot be written, Bug for a dtype
// that the format lacks.
void write_safetensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata);

class SafetensorsFile {
 public:
  // Reads and checks the header by the rules of the format's reference reader (tests/exchange/safetensors_cases.json):
  // the shape of each tensor matches its bytes, and the tensors cover the data exactly once. Throws UserError that
  // names the file.
  explicit SafetensorsFile(std::filesystem::path file);

  const std::filesystem::path& path() const { return file_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  bool has(const std::string& name) const { return header_.contains(name); }
  std::vector<std::string> names() const;  // sorted
  // Returns a new tensor on the CPU. Throws UserError when there is none of that name, or LibTorch lacks its dtype.
  Tensor read(const std::string& name) const;

 private:
  void check_coverage(int64_t data_size, const std::function<void(const std::string&)>& refuse) const;

  std::filesystem::path file_;
  nlohmann::json header_;
  std::map<std::string, std::string> metadata_;
  int64_t data_begin_ = 0;
};

}  // namespace assay::run
