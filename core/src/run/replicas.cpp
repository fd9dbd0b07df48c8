#include "run/replicas.h"

#include <cstring>
#include <string>

#include "base/sha256.h"

namespace assay::run {
namespace {

// Not negative, so that its negation does not overflow.
int64_t hash_of(const Tensor& value) {
  const auto bytes = value.detach().cpu().contiguous();
  return std::stoll(base::sha256({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()}).substr(0, 15),
                    nullptr, 16);
}

// Compares the maxima of the hashes and of their negations: they belong to the same value only if all ranks are equal.
void compare(const std::vector<const Parameter*>& parameters, Communicator& axis, const char* name) {
  if (axis.size() == 1) return;
  std::vector<int64_t> mine;
  for (const auto* parameter : parameters) {
    const auto hash = hash_of(parameter->value);
    mine.insert(mine.end(), {hash, -hash});
  }
  auto largest = mine;
  axis.all_reduce_max(largest.data(), largest.size(), Dtype::kInt64);
  for (size_t i = 0; i < parameters.size(); ++i)
    if (largest[2 * i] != -largest[2 * i + 1])
      throw ReplicasDiffer("parameter '" + parameters[i]->spec.name + "' differs between the " +
                           std::to_string(axis.size()) + " ranks of the " + name +
                           " axis, but must be bit-identical; a component uses values that differ between ranks, or "
                           "the hardware made an error");
}

}  // namespace

void compare_replicas(const std::vector<Parameter>& parameters, const Mesh& mesh) {
  std::vector<const Parameter*> replicated, all;
  for (const auto& parameter : parameters) {
    all.push_back(&parameter);
    if (parameter.spec.shard_dim < 0) replicated.push_back(&parameter);
  }
  compare(replicated, mesh.tensor(), "tensor");
  compare(all, mesh.data(), "data");
}

}  // namespace assay::run
