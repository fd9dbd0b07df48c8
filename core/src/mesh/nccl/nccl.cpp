// NCCL collectives of one rank of an axis.
#include "mesh/nccl/nccl.h"

#include <nccl.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "assay/error.h"
#include "device/device.h"

namespace assay::mesh {
namespace {

void check(ncclResult_t result, const char* what) {
  if (result != ncclSuccess)
    throw std::runtime_error(std::string("NCCL: ") + what + " failed: " + ncclGetErrorString(result));
}

ncclDataType_t type_of(Dtype dtype) {
  if (dtype == Dtype::kFloat32) return ncclFloat32;
  return dtype == Dtype::kFloat64 ? ncclFloat64 : ncclInt64;
}

// LibTorch computes on the default stream of the current device, and so do these collectives, so no synchronisation is
// needed.
constexpr cudaStream_t kStream = nullptr;

class Nccl final : public DeviceCollectives {
 public:
  explicit Nccl(Communicator& host) {
    ncclUniqueId id;
    if (host.rank() == 0) check(ncclGetUniqueId(&id), "creating an id");
    host.broadcast(&id, sizeof id, 0);
    host.barrier();  // all ranks have arrived; ncclCommInitRank would wait forever for a missing one
    check(ncclCommInitRank(&comm_, host.size(), id, host.rank()), "joining");
  }
  ~Nccl() override {
    if (!aborted_) ncclCommDestroy(comm_);
  }

  bool is_device_memory(const void* buffer) const override { return kernels::device::is_device_memory(buffer); }
  void all_reduce(void* buffer, size_t count, Dtype dtype, bool max) override {
    begin("all-reduce", [&] {
      return ncclAllReduce(buffer, buffer, count, type_of(dtype), max ? ncclMax : ncclSum, comm_, kStream);
    });
  }
  void all_gather(const void* mine, void* all, size_t bytes) override {
    begin("all-gather", [&] { return ncclAllGather(mine, all, bytes, ncclChar, comm_, kStream); });
  }
  void reduce_scatter(const void* all, void* mine, size_t count, Dtype dtype) override {
    begin("reduce-scatter",
          [&] { return ncclReduceScatter(all, mine, count, type_of(dtype), ncclSum, comm_, kStream); });
  }
  void broadcast(void* buffer, size_t bytes, int root) override {
    begin("broadcast", [&] { return ncclBroadcast(buffer, buffer, bytes, ncclChar, root, comm_, kStream); });
  }
  void abort() override {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(aborted_, true)) ncclCommAbort(comm_);
  }

 private:
  // No call may start on an aborted communicator, and it must not be aborted while a call starts.
  template <class Call>
  void begin(const char* what, Call&& call) {
    const std::lock_guard lock(mutex_);
    if (aborted_) throw RunStopped("another rank failed");
    check(call(), what);
  }

  ncclComm_t comm_ = nullptr;
  std::mutex mutex_;
  bool aborted_ = false;
};

}  // namespace

bool has_nccl() { return true; }

std::unique_ptr<DeviceCollectives> nccl_collectives(Communicator& host) { return std::make_unique<Nccl>(host); }

}  // namespace assay::mesh
