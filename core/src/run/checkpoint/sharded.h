// The tensors of a run's state, with global names and shapes. They are gathered from the shards of the ranks and split
// again for a mesh of any size.
#pragma once

#include <string>
#include <vector>

#include "run/assemble.h"
#include "run/checkpoint/safetensors.h"

namespace assay::run {

struct ShardedTensor {
  std::string name;
  Tensor local;            // the shard of this rank; load writes to it in place
  int64_t shard_dim = -1;  // split over the tensor ranks; -1: replicated
  int64_t rows = -1;       // of dimension 0 without padding, one per token; -1: dimension 0 is not the vocabulary
};

// Parameters, then buffers, under their full names.
std::vector<ShardedTensor> weights_of(const Assembled& run);
// Named "<parameter>/<state>", or "optimizer/<state>" for state without a parameter. Throws PluginError when a state
// has neither the shape of its parameter nor one element, and does not declare how it is split.
std::vector<ShardedTensor> optimizer_state_of(Assembled& run);

// Gathers unsharded tensors on the CPU of rank 0. Must be called on every tensor rank.
std::vector<NamedTensor> gathered(const std::vector<ShardedTensor>& tensors, Communicator& axis);
// Copies of unsharded tensors on the mesh's first rank, empty elsewhere. Must be called on every rank. A parameter
// without a gradient gives zeros.
std::vector<NamedTensor> whole_weights(Assembled& run, const Mesh& mesh);
std::vector<NamedTensor> whole_gradients(Assembled& run, const Mesh& mesh);

// Loads this rank's shards from unsharded tensors. Throws UserError with file and tensor for a missing tensor or
// another shape or dtype.
// grown_from: the file's vocabulary if it is smaller than the run's; rows of later tokens keep their values. -1: equal.
void load(const SafetensorsFile& file, const std::vector<ShardedTensor>& tensors, const Communicator& axis,
          int64_t grown_from = -1);

}  // namespace assay::run
