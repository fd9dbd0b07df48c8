// What a run's state consists of, by global name and shape: gathered from the ranks' shards, and cut into them again on
// a mesh of any size.
#pragma once

#include <string>
#include <vector>

#include "run/assemble.h"
#include "run/checkpoint/safetensors.h"

namespace assay::run {

struct ShardedTensor {
  std::string name;
  Tensor local;            // this rank's; written in place by load
  int64_t shard_dim = -1;  // split over the tensor ranks; -1: the same on all
};

// Parameters, then buffers, under their full names.
std::vector<ShardedTensor> weights_of(const Assembled& run);
// "<parameter>/<state>", or "optimizer/<state>" for what belongs to no parameter. PluginError when a state is shaped
// neither like its parameter nor as one number, and does not say how it is split.
std::vector<ShardedTensor> optimizer_state_of(Assembled& run);

// Whole tensors on the CPU; every tensor rank calls it, and rank 0 gets them.
std::vector<NamedTensor> gathered(const std::vector<ShardedTensor>& tensors, Communicator& axis);
// Copies of whole tensors on the mesh's first rank, empty elsewhere; every rank calls it. A parameter without a
// gradient has zeros.
std::vector<NamedTensor> whole_weights(Assembled& run, const Mesh& mesh);
std::vector<NamedTensor> whole_gradients(Assembled& run, const Mesh& mesh);

// This rank's shards from whole tensors. UserError, naming file and tensor, for what is missing or of another shape or
// type.
void load(const SafetensorsFile& file, const std::vector<ShardedTensor>& tensors, const Communicator& axis);

}  // namespace assay::run
