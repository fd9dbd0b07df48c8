// Parameters and buffers: declared by global shape, drawn as if whole, kept as this rank's shard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "assay/error.h"
#include "assay/tensor.h"

namespace assay {

class Mesh;

// How a parameter starts. Normal draws come from Philox keyed by (seed, parameter name), counter = global element
// index, so weights depend neither on the mesh nor on the order of creation.
struct Init {
  enum class Kind { kConstant, kNormal } kind = Kind::kConstant;
  double value = 0;  // the constant, or the standard deviation

  static Init zeros() { return {Kind::kConstant, 0.0}; }
  static Init ones() { return {Kind::kConstant, 1.0}; }
  static Init constant(double value) { return {Kind::kConstant, value}; }
  static Init normal(double std) { return {Kind::kNormal, std}; }
};

// What a parameter is for; an optimizer that treats some apart (Muon: matrices alone) asks this and never the name.
enum class Role {
  kOther,      // norms, biases, slopes, and all whose component says nothing else
  kMatrix,     // weight of a linear layer from hidden states to hidden states, [out, in]
  kEmbedding,  // table whose rows are looked up by token, position or distance; also where it is the tied head
  kHead,       // weight of what reads the hidden states: an output matrix of its own, a small prediction head
};

struct ParameterSpec {
  std::string name;            // relative to the instance, e.g. "layers.0.up.weight"
  std::vector<int64_t> shape;  // global
  int64_t shard_dim = -1;      // dimension split over the tensor ranks; -1: replicated
  Init init = {};
  bool decay = true;        // subject to weight decay
  double rate_scale = 1.0;  // factor on the learning rate
  int64_t drawn_rows = -1;  // rows of dimension 0 from here on are padding: zero, never learned; -1: none
  Role role = Role::kOther;
};

struct Parameter {
  ParameterSpec spec;  // spec.name is the full name, e.g. "model.layers.0.up.weight"
  Tensor value;        // this rank's shard; a leaf that requires gradients
};

// One instance's view of the run's parameters. Tensors returned are handles; keep them as members.
class ASSAY_API Parameters {
 public:
  struct Store;  // every parameter and buffer of this rank, in order of creation
  Parameters(std::shared_ptr<Store> store, std::string prefix, bool shared = false)
      : store_(std::move(store)), prefix_(std::move(prefix)), shared_(shared) {}

  // Draws this rank's shard. UserError when the shape is not divisible by the tensor ranks or the name is taken.
  Tensor add(const ParameterSpec& spec);
  // A constant tensor, replicated, on the run's device; floating ones take the run's dtype. Not trained, checkpointed.
  Tensor buffer(const std::string& name, const Tensor& value);
  // A parameter that was added, by full name. UserError when there is none.
  Tensor existing(const std::string& full_name) const;

  Parameters scope(const std::string& name) const { return {store_, prefix_ + name + ".", shared_}; }
  // A scope whose add gives what the instance or scope of this full name added under the same name, for shared (tied)
  // weights. UserError where it added none, or one of another shape or split.
  Parameters shared(const std::string& full_name) const { return {store_, full_name + ".", true}; }
  // Of this scope, as in the names of its parameters: "model.layers.0.up".
  std::string name() const { return prefix_.substr(0, prefix_.empty() ? 0 : prefix_.size() - 1); }

  const Mesh& mesh() const;
  at::TensorOptions options() const;  // dtype and device of the run's weights
  uint64_t seed() const;              // of initial weights
  std::vector<Parameter>& all() const;
  const std::vector<std::pair<std::string, Tensor>>& buffers() const;

 private:
  std::shared_ptr<Store> store_;
  std::string prefix_;
  bool shared_;  // nothing is added here, see shared
};

}  // namespace assay
