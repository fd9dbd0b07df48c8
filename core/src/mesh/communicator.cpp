// The parts that all backends share: names of the calls and their counts.
#include "assay/mesh.h"

namespace assay {
namespace {

uint64_t width(Number type) { return type == Number::kFloat32 ? 4 : 8; }

bool in_bytes(Collective collective) {
  return collective == Collective::kGather || collective == Collective::kBroadcast;
}

}  // namespace

uint64_t Call::bytes() const { return in_bytes(collective) ? count : count * width(type); }

std::string Call::text() const {
  static constexpr const char* kCollectives[] = {"all_reduce",     "all_reduce max", "all_gather",
                                                 "reduce_scatter", "broadcast",      "barrier"};
  static constexpr const char* kNumbers[] = {"float32", "float64", "int64"};
  std::string text = kCollectives[static_cast<int>(collective)];
  if (collective == Collective::kBarrier) return text;
  text += " of " + std::to_string(count) + " " + (in_bytes(collective) ? "bytes" : kNumbers[static_cast<int>(type)]);
  return collective == Collective::kBroadcast ? text + " from rank " + std::to_string(root) : text;
}

void Communicator::counted(const Call& call, const void* in, void* out) {
  if (call.count == 0 && call.collective != Collective::kBarrier) return;
  if (size() > 1) ++traffic_[{call.collective, call.bytes()}];
  make(call, in, out);
}

void Communicator::sum(void* buffer, size_t count, Number type) {
  counted({Collective::kSum, type, count}, buffer, buffer);
}
void Communicator::max(void* buffer, size_t count, Number type) {
  counted({Collective::kMax, type, count}, buffer, buffer);
}
void Communicator::gather(const void* mine, void* all, size_t bytes) {
  counted({.collective = Collective::kGather, .count = bytes}, mine, all);
}
void Communicator::scatter_sum(const void* all, void* mine, size_t count, Number type) {
  counted({Collective::kScatterSum, type, count}, all, mine);
}
void Communicator::broadcast(void* buffer, size_t bytes, int root) {
  counted({.collective = Collective::kBroadcast, .count = bytes, .root = root}, buffer, buffer);
}
void Communicator::barrier() { counted({.collective = Collective::kBarrier}, nullptr, nullptr); }

}  // namespace assay
