#include "run/checkpoint/sharded.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <algorithm>

namespace assay::run {

std::vector<ShardedTensor> weights_of(const Assembled& run) {
  std::vector<ShardedTensor> out;
  for (const auto& [spec, value] : run.parameters->all())
    out.push_back({spec.name, value.detach(), spec.shard_dim, spec.drawn_rows});
  for (const auto& [name, value] : run.parameters->buffers()) out.push_back({name, value});
  return out;
}

std::vector<ShardedTensor> optimizer_state_of(Assembled& run) {
  std::vector<ShardedTensor> out;
  auto& optimizer = *run.optimizer;
  const auto& parameters = run.parameters->all();
  guard(optimizer, "state", [&] {
    for (auto& state : optimizer.state()) {
      if (state.parameter < 0) {
        out.push_back({"optimizer/" + state.name, state.value});
        continue;
      }
      const auto& [spec, value] = parameters.at(static_cast<size_t>(state.parameter));
      if (state.shard_dim) {
        if (*state.shard_dim >= state.value.dim())
          throw UserError("state '" + state.name + "' of " + spec.name + " is split in dimension " +
                          std::to_string(*state.shard_dim) + ", but has " + std::to_string(state.value.dim()) +
                          " dimensions");
        out.push_back({spec.name + "/" + state.name, state.value, *state.shard_dim});
        continue;
      }
      const bool like_parameter = state.value.sizes() == value.sizes();
      if (!like_parameter && state.value.numel() != 1)
        throw UserError(
            "state '" + state.name + "' of " + spec.name +
            " has neither the shape of its parameter nor one element, and does not declare how it is split");
      out.push_back({spec.name + "/" + state.name, state.value, like_parameter ? spec.shard_dim : -1});
    }
  });
  return out;
}

std::vector<NamedTensor> gathered(const std::vector<ShardedTensor>& tensors, Communicator& axis) {
  const c10::NoGradGuard no_grad;
  std::vector<NamedTensor> whole;
  for (const auto& [name, local, shard_dim, rows] : tensors) {
    auto mine = local.to(at::kCPU).contiguous();
    if (shard_dim >= 0 && axis.size() > 1) {
      auto sizes = mine.sizes().vec();
      sizes.insert(sizes.begin(), axis.size());
      const auto all = at::empty(sizes, mine.options());
      axis.all_gather(mine.data_ptr(), all.data_ptr(), mine.nbytes());
      if (axis.rank() == 0) mine = at::cat(all.unbind(0), shard_dim).contiguous();
    }
    if (axis.rank() == 0) whole.push_back({name, mine});
  }
  return whole;
}

namespace {

// With one rank, gathered tensors share the memory of the run, so they are cloned.
std::vector<NamedTensor> copied(const std::vector<ShardedTensor>& tensors, const Mesh& mesh) {
  auto all = gathered(tensors, mesh.tensor());
  if (!mesh.first()) return {};
  for (auto& [name, value] : all) value = value.clone();
  return all;
}

}  // namespace

std::vector<NamedTensor> whole_weights(Assembled& run, const Mesh& mesh) { return copied(weights_of(run), mesh); }

std::vector<NamedTensor> whole_gradients(Assembled& run, const Mesh& mesh) {
  std::vector<ShardedTensor> tensors;
  for (const auto& [spec, value] : run.parameters->all())
    tensors.push_back({spec.name, value.grad().defined() ? value.grad() : at::zeros_like(value), spec.shard_dim});
  return copied(tensors, mesh);
}

namespace {

// Copies the rows of tokens below `count`, of which the local shard has those from `begin` on.
void load_rows(const Tensor& value, const Tensor& local, int64_t begin, int64_t count, const std::string& file,
               const std::string& name) {
  if (value.dim() != local.dim() || value.size(0) < count || value.sizes().slice(1) != local.sizes().slice(1) ||
      value.scalar_type() != local.scalar_type())
    throw UserError(file + ": tensor '" + name + "' is " + c10::toString(value.scalar_type()) + " " +
                    c10::str(value.sizes()) + ", but this run needs " + c10::toString(local.scalar_type()) + " with " +
                    std::to_string(count) + " rows or more, each " + c10::str(local.sizes().slice(1)));
  const auto here = std::min(count - begin, local.size(0));
  if (here > 0) local.narrow(0, 0, here).copy_(value.narrow(0, begin, here));
}

}  // namespace

void load(const SafetensorsFile& file, const std::vector<ShardedTensor>& tensors, const Communicator& axis,
          int64_t grown_from) {
  const c10::NoGradGuard no_grad;
  for (const auto& [name, local, shard_dim, rows] : tensors) {
    auto value = file.read(name);
    if (grown_from >= 0 && rows > grown_from) {
      load_rows(value, local, shard_dim == 0 ? axis.rank() * local.size(0) : 0, grown_from, file.path().string(), name);
      continue;
    }
    auto expected = local.sizes().vec();
    if (shard_dim >= 0) expected[static_cast<size_t>(shard_dim)] *= axis.size();
    if (value.sizes() != at::IntArrayRef(expected) || value.scalar_type() != local.scalar_type())
      throw UserError(file.path().string() + ": tensor '" + name + "' is " + c10::toString(value.scalar_type()) + " " +
                      c10::str(value.sizes()) + ", but this run needs " + c10::toString(local.scalar_type()) + " " +
                      c10::str(at::IntArrayRef(expected)));
    if (shard_dim >= 0) {
      const auto width = local.size(shard_dim);
      value = value.narrow(shard_dim, axis.rank() * width, width);
    }
    local.copy_(value);
  }
}

}  // namespace assay::run
