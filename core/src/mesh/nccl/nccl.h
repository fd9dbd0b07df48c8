// Ranks with one GPU each: buffers in GPU memory use NCCL, all others the threads or processes of the ranks. NCCL sums
// in its own order, which is the same in every run of a mesh (NCCL_ALGO=Ring), so a mesh is bit-reproducible and agrees
// with threads up to rounding.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "assay/mesh.h"

namespace assay::mesh {

// Collectives of one axis on GPU memory, executed in call order on the device's default stream.
class DeviceCollectives {
 public:
  virtual ~DeviceCollectives() = default;
  virtual bool is_device_memory(const void* buffer) const = 0;  // whether it is in GPU memory
  virtual void all_reduce(void* buffer, size_t count, Dtype dtype, bool max) = 0;
  virtual void all_gather(const void* mine, void* all, size_t bytes) = 0;
  virtual void reduce_scatter(const void* all, void* mine, size_t count, Dtype dtype) = 0;
  virtual void broadcast(void* buffer, size_t bytes, int root) = 0;
  virtual void abort() = 0;  // from any thread; ranks that wait on the GPU for others return and throw RunStopped
};

// An axis that dispatches calls by buffer: GPU memory to `devices`, all other calls and barriers to `host`.
std::unique_ptr<Communicator> device_communicator(Communicator& host, DeviceCollectives& devices);

// The ranks of this process, each with its own GPU.
class DeviceRanks {
 public:
  using Make = std::function<std::unique_ptr<DeviceCollectives>(Communicator& host)>;
  explicit DeviceRanks(Make make) : make_(std::move(make)) {}

  // Runs body on this rank of a mesh. When it throws, no other rank of this process keeps waiting on its GPU, and all
  // throw the first exception. A rank in another process that waits on its GPU is ended only by the failure message
  // through `host`.
  void run(const Mesh& host, const std::function<void(Mesh&)>& body);

 private:
  const Make make_;
  std::mutex mutex_;
  std::set<DeviceCollectives*> at_work_;
  std::exception_ptr first_;
};

bool has_nccl();  // this build
// Every rank of the axis must call it, with its GPU as the current device; the NCCL id is broadcast over `host`. Throws
// UserError in a build without CUDA.
std::unique_ptr<DeviceCollectives> nccl_collectives(Communicator& host);

}  // namespace assay::mesh
