// Ranks that compute on GPUs, one each: what lies in a GPU's memory goes over NCCL, all else over the ranks' threads or
// processes. NCCL sums in an order of its own, the same on every run of one mesh (NCCL_ALGO=Ring), so a mesh repeats
// its bits, and gives those of threads within rounding.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "assay/mesh.h"

namespace assay::mesh {

// Collectives of one axis on GPU memory; in the order of the calls on the device's default stream.
class DeviceCollectives {
 public:
  virtual ~DeviceCollectives() = default;
  virtual bool holds(const void* buffer) const = 0;  // whether it lies in a GPU's memory
  virtual void all_reduce(void* buffer, size_t count, Number type, bool max) = 0;
  virtual void all_gather(const void* mine, void* all, size_t bytes) = 0;
  virtual void reduce_scatter(const void* all, void* mine, size_t count, Number type) = 0;
  virtual void broadcast(void* buffer, size_t bytes, int root) = 0;
  virtual void abort() = 0;  // from any thread: whoever waits on the GPU for another rank goes on, and to RunStopped
};

// An axis whose calls go where their buffers lie: a GPU's to `devices`, all else and barriers to `host`.
std::unique_ptr<Communicator> on_devices(Communicator& host, DeviceCollectives& devices);

// The ranks of this process, with a GPU each.
class DeviceRanks {
 public:
  using Make = std::function<std::unique_ptr<DeviceCollectives>(Communicator& host)>;
  explicit DeviceRanks(Make make) : make_(std::move(make)) {}

  // Body on this rank of a mesh. When it throws, no other rank of this process is left waiting on its GPU, and all
  // throw what the first one did. A rank in another process that waits on its GPU is ended by its own host's word
  // alone.
  void run(const Mesh& host, const std::function<void(Mesh&)>& body);

 private:
  const Make make_;
  std::mutex mutex_;
  std::set<DeviceCollectives*> at_work_;
  std::exception_ptr first_;
};

bool has_nccl();  // this build
// Every rank of the axis calls it, with its GPU as the current one; NCCL's id goes over `host`. UserError in a build
// without CUDA.
std::unique_ptr<DeviceCollectives> nccl_collectives(Communicator& host);

}  // namespace assay::mesh
