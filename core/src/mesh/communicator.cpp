// The parts that all backends share: names of the calls and their counts.
#include "assay/mesh.h"

namespace assay {
namespace {

uint64_t width(Dtype dtype) { return dtype == Dtype::kFloat32 ? 4 : 8; }

bool in_bytes(Collective collective) {
  return collective == Collective::kAllGather || collective == Collective::kBroadcast;
}

}  // namespace

uint64_t Call::bytes() const { return in_bytes(collective) ? count : count * width(dtype); }

std::string Call::text() const {
  static constexpr const char* kCollectives[] = {"all_reduce",     "all_reduce max", "all_gather",
                                                 "reduce_scatter", "broadcast",      "barrier"};
  static constexpr const char* kDtypes[] = {"float32", "float64", "int64"};
  std::string text = kCollectives[static_cast<int>(collective)];
  if (collective == Collective::kBarrier) return text;
  text += " of " + std::to_string(count) + " " + (in_bytes(collective) ? "bytes" : kDtypes[static_cast<int>(dtype)]);
  return collective == Collective::kBroadcast ? text + " from rank " + std::to_string(root) : text;
}

void Communicator::counted(const Call& call, const void* in, void* out) {
  if (call.count == 0 && call.collective != Collective::kBarrier) return;
  if (size() > 1) ++traffic_[{call.collective, call.bytes()}];
  make(call, in, out);
}

void Communicator::all_reduce(void* buffer, size_t count, Dtype dtype) {
  counted({Collective::kAllReduce, dtype, count}, buffer, buffer);
}
void Communicator::all_reduce_max(void* buffer, size_t count, Dtype dtype) {
  counted({Collective::kAllReduceMax, dtype, count}, buffer, buffer);
}
void Communicator::all_gather(const void* mine, void* all, size_t bytes) {
  counted({.collective = Collective::kAllGather, .count = bytes}, mine, all);
}
void Communicator::reduce_scatter(const void* all, void* mine, size_t count, Dtype dtype) {
  counted({Collective::kReduceScatter, dtype, count}, all, mine);
}
void Communicator::broadcast(void* buffer, size_t bytes, int root) {
  counted({.collective = Collective::kBroadcast, .count = bytes, .root = root}, buffer, buffer);
}
void Communicator::barrier() { counted({.collective = Collective::kBarrier}, nullptr, nullptr); }

}  // namespace assay
