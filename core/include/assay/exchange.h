// Kind "exchange": weights in the form of another library, both ways. `assay export` and `assay import` call it, and
// planning an experiment that names one in [[exchange]]; no run does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "assay/component.h"
#include "assay/tensor.h"

namespace assay {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;  // whole, contiguous, on the CPU

// A model of an experiment. `model` and `tokenizer` are JSON: {"use": name, its parameters, children likewise}.
struct OwnModel {
  std::string model;
  std::string tokenizer;   // empty when imported
  int64_t vocabulary = 0;  // without padding
  // Ids of special tokens, the end of text among them, by name; empty when imported.
  std::map<std::string, int64_t> special;
  int64_t context = 0;   // of its training; 0 when imported
  NamedTensors tensors;  // by full name: "model.embedding.weight"
};

// What stands in a folder of the other library: small files by name, and one file of tensors.
struct ForeignModel {
  std::map<std::string, std::string> files;
  NamedTensors tensors;
};

class Exchange : public Component {
 public:
  ASSAY_KIND(Exchange, "exchange", ASSAY_KIND_HASH_EXCHANGE);
  virtual std::string tensor_file() const = 0;  // its name there, in the safetensors format
  // At plan time, of a model without tensors: UserError, as to_foreign throws it, for what cannot be exported.
  virtual void check(const OwnModel&) const {}
  // Both throw UserError, naming what the other side cannot express; it reaches the user as it stands.
  virtual ForeignModel to_foreign(const OwnModel& model) const = 0;
  virtual OwnModel from_foreign(const ForeignModel& model) const = 0;
};

}  // namespace assay
