// Parameters and buffers. They are declared by global shape and drawn as if unsharded; each rank keeps its shard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "assay/error.h"
#include "assay/tensor.h"

namespace assay {

class Mesh;

// The initial value of a parameter. Normal draws come from Philox with key (seed, parameter name) and the global
// element index as counter, so weights depend neither on the mesh nor on the order of creation.
struct Init {
  enum class Kind { kConstant, kNormal } kind = Kind::kConstant;
  double value = 0;  // the constant or the standard deviation

  static Init zeros() { return {Kind::kConstant, 0.0}; }
  static Init ones() { return {Kind::kConstant, 1.0}; }
  static Init constant(double value) { return {Kind::kConstant, value}; }
  static Init normal(double std) { return {Kind::kNormal, std}; }
};

// The purpose of a parameter. An optimizer that treats some parameters differently (Muon: only matrices) reads the
// role, never the name.
enum class Role {
  kOther,      // norms, biases, slopes, and parameters whose component sets no role
  kMatrix,     // weight of a linear layer from hidden states to hidden states, [out, in]
  kEmbedding,  // table whose rows are looked up by token, position or distance; also when it is the tied head
  kHead,       // weight that reads hidden states: a separate output matrix, a small prediction head
};

struct ParameterSpec {
  std::string name;            // relative to the instance, such as "layers.0.up.weight"
  std::vector<int64_t> shape;  // global
  int64_t shard_dim = -1;      // dimension split over the tensor ranks; -1: replicated
  Init init = {};
  bool decay = true;        // subject to weight decay
  double rate_scale = 1.0;  // factor on the learning rate
  int64_t drawn_rows = -1;  // rows of dimension 0 from this one on are padding: zero, not trained; -1: none
  Role role = Role::kOther;
};

struct Parameter {
  ParameterSpec spec;  // spec.name is the full name, such as "model.layers.0.up.weight"
  Tensor value;        // this rank's shard; a leaf that requires gradients
};

// The view that one instance has of the run's parameters. The returned tensors are handles; keep them as members.
class ASSAY_API Parameters {
 public:
  struct Store;  // every parameter and buffer of this rank, in order of creation
  Parameters(std::shared_ptr<Store> store, std::string prefix, bool shared = false)
      : store_(std::move(store)), prefix_(std::move(prefix)), shared_(shared) {}

  // Adds a parameter and draws this rank's shard. UserError when the shape is not divisible by the number of tensor
  // ranks or the name exists.
  Tensor add(const ParameterSpec& spec);
  // Adds a constant tensor, replicated, on the run's device. A floating-point tensor takes the run's dtype. It is not
  // trained, but it is checkpointed.
  Tensor buffer(const std::string& name, const Tensor& value);
  // An existing parameter by full name. UserError when there is none.
  Tensor existing(const std::string& full_name) const;

  Parameters scope(const std::string& name) const { return {store_, prefix_ + name + ".", shared_}; }
  // A scope for shared (tied) weights: its add returns the parameter of the same name that the instance or scope called
  // `full_name` added. UserError when there is none, or when its shape or split differs.
  Parameters shared(const std::string& full_name) const { return {store_, full_name + ".", true}; }
  // The full name of this scope, such as "model.layers.0.up".
  std::string name() const { return prefix_.substr(0, prefix_.empty() ? 0 : prefix_.size() - 1); }

  const Mesh& mesh() const;
  at::TensorOptions options() const;  // dtype and device of the run's weights
  uint64_t seed() const;              // seed of the initial weights
  std::vector<Parameter>& all() const;
  const std::vector<std::pair<std::string, Tensor>>& buffers() const;

 private:
  std::shared_ptr<Store> store_;
  std::string prefix_;
  bool shared_;  // add returns existing parameters, see shared()
};

}  // namespace assay
