// The safetensors format: eight bytes of header length, a JSON header {name: {dtype, shape, data_offsets}}, the bytes.
// https://github.com/huggingface/safetensors#format
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/tensor.h"

namespace assay {

struct NamedTensor {
  std::string name;
  Tensor value;  // on the CPU, contiguous
};

// Written in the given order and synced. UserError when it cannot be written, Bug for a type the format lacks.
void write_safetensors(const std::filesystem::path& file, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata);

class SafetensorsFile {
 public:
  // Reads and checks the header. UserError, naming the file, when it is not a safetensors file or is cut off.
  explicit SafetensorsFile(std::filesystem::path file);

  const std::filesystem::path& path() const { return file_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  bool has(const std::string& name) const { return header_.contains(name); }
  std::vector<std::string> names() const;  // sorted
  // A tensor of its own on the CPU. UserError when there is none of that name.
  Tensor read(const std::string& name) const;

 private:
  std::filesystem::path file_;
  nlohmann::json header_;
  std::map<std::string, std::string> metadata_;
  int64_t data_begin_ = 0;
};

}  // namespace assay
