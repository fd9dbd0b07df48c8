// An axis of ranks with one GPU each; every call is dispatched by the location of its buffer.
#include <exception>
#include <thread>
#include <vector>

#include "mesh/backends.h"
#include "mesh/nccl/nccl.h"

namespace assay::mesh {
namespace {

class DeviceCommunicator final : public Communicator {
 public:
  DeviceCommunicator(Communicator& host, DeviceCollectives& devices) : host_(host), devices_(devices) {}
  int rank() const override { return host_.rank(); }
  int size() const override { return host_.size(); }

 private:
  void make(const Call& call, const void* in, void* out) override {
    const bool device = call.collective != Collective::kBarrier && devices_.is_device_memory(in);
    const auto root = static_cast<int>(call.root);
    switch (call.collective) {
      case Collective::kAllReduce:
      case Collective::kAllReduceMax: {
        const bool max = call.collective == Collective::kAllReduceMax;
        if (device) return devices_.all_reduce(out, call.count, call.dtype, max);
        return max ? host_.all_reduce_max(out, call.count, call.dtype) : host_.all_reduce(out, call.count, call.dtype);
      }
      case Collective::kAllGather:
        return device ? devices_.all_gather(in, out, call.count) : host_.all_gather(in, out, call.count);
      case Collective::kReduceScatter:
        return device ? devices_.reduce_scatter(in, out, call.count, call.dtype)
                      : host_.reduce_scatter(in, out, call.count, call.dtype);
      case Collective::kBroadcast:
        return device ? devices_.broadcast(out, call.count, root) : host_.broadcast(out, call.count, root);
      case Collective::kBarrier:
        return host_.barrier();
    }
  }

  Communicator& host_;
  DeviceCollectives& devices_;
};

}  // namespace

std::unique_ptr<Communicator> device_communicator(Communicator& host, DeviceCollectives& devices) {
  return std::make_unique<DeviceCommunicator>(host, devices);
}

void DeviceRanks::run(const Mesh& host, const std::function<void(Mesh&)>& body) {
  std::vector<std::unique_ptr<DeviceCollectives>> mine;
  const auto axis = [&](Communicator& one) {
    if (one.size() == 1) return self_communicator();
    mine.push_back(make_(one));
    return device_communicator(one, *mine.back());
  };
  auto tensor = axis(host.tensor());
  Mesh mesh(std::move(tensor), axis(host.data()));
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : mine) at_work_.insert(one.get());
  }
  try {
    body(mesh);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!first_) first_ = std::current_exception();
    // All are aborted concurrently: aborting one may wait for the GPU, which waits in another.
    std::vector<std::thread> aborts;
    for (auto* one : at_work_) aborts.emplace_back([one] { one->abort(); });
    for (auto& one : aborts) one.join();
    at_work_.clear();
    std::rethrow_exception(first_);
  }
  const std::lock_guard lock(mutex_);
  for (const auto& one : mine) at_work_.erase(one.get());
}

}  // namespace assay::mesh
