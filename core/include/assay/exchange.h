// Kind "exchange": converts weights to and from the format of another library. `assay export` and `assay import` call
// it, and so does the planning of an experiment with [[exchange]]; a run never does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "assay/component.h"
#include "assay/tensor.h"

namespace assay {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;  // unsharded, contiguous, on the CPU

// A model of an experiment. `model` and `tokenizer` are JSON objects: {"use": name, parameters}; children have the same
// form.
struct OwnModel {
  std::string model;
  std::string tokenizer;   // empty when imported
  int64_t vocabulary = 0;  // size without padding
  // Ids of special tokens by name, including the end of text; empty when imported.
  std::map<std::string, int64_t> special;
  int64_t context = 0;   // context length of training; 0 when imported
  NamedTensors tensors;  // by full name, such as "model.embedding.weight"
};

// The content of a model folder of the other library: small files by name, and one file of tensors.
struct ForeignModel {
  std::map<std::string, std::string> files;
  NamedTensors tensors;
};

class Exchange : public Component {
 public:
  ASSAY_KIND(Exchange, "exchange", ASSAY_KIND_HASH_EXCHANGE);
  virtual std::string tensor_file() const = 0;  // name of the tensor file, which is in the safetensors format
  // Called at plan time with a model without tensors. Throws the same UserError as to_foreign when the model cannot be
  // exported.
  virtual void check(const OwnModel&) const {}
  // Both throw a UserError that names what the other format cannot express. The user sees the text unchanged.
  virtual ForeignModel to_foreign(const OwnModel& model) const = 0;
  virtual OwnModel from_foreign(const ForeignModel& model) const = 0;
};

}  // namespace assay
