#include "run/replicas.h"

#include <cstring>
#include <string>

#include "base/sha256.h"

namespace assay::run {
namespace {

// Not negative, so that its opposite is a number, too.
int64_t hash_of(const Tensor& value) {
  const auto bytes = value.detach().cpu().contiguous();
  return std::stoll(base::sha256({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()}).substr(0, 15),
                    nullptr, 16);
}

// Hashes and their opposites: the largest of both are those of one value only where all ranks have the same.
void compare(const std::vector<const Parameter*>& parameters, Communicator& axis, const char* name) {
  if (axis.size() == 1) return;
  std::vector<int64_t> mine;
  for (const auto* parameter : parameters) {
    const auto hash = hash_of(parameter->value);
    mine.insert(mine.end(), {hash, -hash});
  }
  auto largest = mine;
  axis.max(largest.data(), largest.size(), Number::kInt64);
  for (size_t i = 0; i < parameters.size(); ++i)
    if (largest[2 * i] != -largest[2 * i + 1])
      throw ReplicasDiffer("parameter '" + parameters[i]->spec.name + "' is not the same on all " +
                           std::to_string(axis.size()) + " ranks of the " + name +
                           " axis, and must be, to the bit: a component worked with what is not the same on all "
                           "ranks, or a machine made an error");
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
