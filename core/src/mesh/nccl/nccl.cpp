// NCCL's collectives for one rank of an axis.
#include "mesh/nccl/nccl.h"

#include <nccl.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include "device/device.h"

namespace assay {
namespace {

void check(ncclResult_t result, const char* what) {
  if (result != ncclSuccess)
    throw std::runtime_error(std::string("NCCL: ") + what + " failed: " + ncclGetErrorString(result));
}

ncclDataType_t type_of(Number type) {
  if (type == Number::kFloat32) return ncclFloat32;
  return type == Number::kFloat64 ? ncclFloat64 : ncclInt64;
}

// LibTorch computes on the default stream of the current device, and so do these: nothing has to wait for anything.
constexpr cudaStream_t kStream = nullptr;

class Nccl final : public DeviceCollectives {
 public:
  explicit Nccl(Communicator& host) {
    ncclUniqueId id;
    if (host.rank() == 0) check(ncclGetUniqueId(&id), "making an id");
    host.broadcast(&id, sizeof id, 0);
    check(ncclCommInitRank(&comm_, host.size(), id, host.rank()), "joining");
  }
  ~Nccl() override {
    if (!aborted_) ncclCommDestroy(comm_);
  }

  bool holds(const void* buffer) const override { return kernels::device::holds(buffer); }
  void all_reduce(void* buffer, size_t count, Number type, bool max) override {
    check(ncclAllReduce(buffer, buffer, count, type_of(type), max ? ncclMax : ncclSum, comm_, kStream), "all-reduce");
  }
  void all_gather(const void* mine, void* all, size_t bytes) override {
    check(ncclAllGather(mine, all, bytes, ncclChar, comm_, kStream), "all-gather");
  }
  void reduce_scatter(const void* all, void* mine, size_t count, Number type) override {
    check(ncclReduceScatter(all, mine, count, type_of(type), ncclSum, comm_, kStream), "reduce-scatter");
  }
  void broadcast(void* buffer, size_t bytes, int root) override {
    check(ncclBroadcast(buffer, buffer, bytes, ncclChar, root, comm_, kStream), "broadcast");
  }
  void abort() override {
    if (!aborted_.exchange(true)) ncclCommAbort(comm_);
  }

 private:
  ncclComm_t comm_ = nullptr;
  std::atomic<bool> aborted_{false};
};

}  // namespace

bool has_nccl() { return true; }

std::unique_ptr<DeviceCollectives> nccl_collectives(Communicator& host) { return std::make_unique<Nccl>(host); }

}  // namespace assay
