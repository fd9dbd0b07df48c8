// Ranks as threads of this process.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "assay/error.h"
#include "mesh/backends.h"
#include "mesh/reduce.h"

namespace assay::mesh {
namespace {

// State shared by the threads of one axis: each rank's call and buffer, and a barrier that does not wait for ranks that
// failed or ended.
class Group {
 public:
  explicit Group(int size, const std::atomic<bool>& aborted)
      : calls_(static_cast<size_t>(size)), buffers_(static_cast<size_t>(size)), size_(size), aborted_(aborted) {}

  int size() const { return size_; }
  void* buffer(int rank) const { return buffers_[static_cast<size_t>(rank)]; }

  // When it returns, all ranks have published their buffers.
  void publish(int rank, const Call& call, void* buffer) {
    calls_[static_cast<size_t>(rank)] = call;
    buffers_[static_cast<size_t>(rank)] = buffer;
    barrier();
    require_equal_calls(calls_, rank);
  }

  // Called after the work on the buffers. All ranks take part in that work, so all arrive here, and none may leave
  // earlier, even if another rank failed elsewhere.
  void done() { barrier(/*may_leave=*/false); }

  void end() {
    ++ended_;
    wake();
  }

  void wake() {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }

 private:
  // Spins briefly (ranks usually arrive together), then sleeps. After a rank has left, no rank passes the barrier any
  // more.
  void barrier(bool may_leave = true) {
    const auto generation = generation_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
      {
        const std::lock_guard lock(mutex_);
        if (left_) throw RunStopped("another rank failed");  // its buffer may be gone
        arrived_.store(0, std::memory_order_relaxed);
        generation_.store(generation + 1, std::memory_order_release);
      }
      wake_.notify_all();
      return;
    }
    for (int spin = 0; spin < kSpins; ++spin)
      if (generation_.load(std::memory_order_acquire) != generation) return;
    std::unique_lock lock(mutex_);
    const auto all_here = [&] { return generation_.load(std::memory_order_acquire) != generation; };
    const auto ends_wait = [&] { return all_here() || (may_leave && (aborted_.load() || ended_.load() > 0)); };
    // Not wait(), which libstdc++ gave a new symbol version in GCC 12: packages must start with older ones.
    while (!wake_.wait_for(lock, std::chrono::hours(1), ends_wait)) {
    }
    if (all_here()) return;
    left_ = true;
    if (aborted_) throw RunStopped("another rank failed");
    throw RunStopped("a rank ended while another one waits for it in a collective");
  }

  static constexpr int kSpins = 4000;
  std::vector<Call> calls_;
  std::vector<void*> buffers_;
  const int size_;
  const std::atomic<bool>& aborted_;
  std::atomic<int> arrived_{0}, ended_{0};
  std::atomic<uint64_t> generation_{0};
  bool left_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<Group> group, int rank) : group_(std::move(group)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return group_->size(); }

 private:
  void make(const Call& call, const void* in, void* out) override {
    group_->publish(rank_, call, const_cast<void*>(in));
    switch (call.collective) {
      case Collective::kAllReduce:
      case Collective::kAllReduceMax:
        dispatch_dtype(call.dtype, [&]<class T>(T) { reduce_all<T>(call); });
        break;
      case Collective::kReduceScatter:
        dispatch_dtype(call.dtype, [&]<class T>(T) {
          reduce(call.collective, sources<T>(static_cast<size_t>(rank_) * call.count), static_cast<T*>(out),
                 call.count);
        });
        break;
      case Collective::kAllGather:
        for (int r = 0; r < size(); ++r)
          std::memcpy(static_cast<char*>(out) + static_cast<size_t>(r) * call.count, group_->buffer(r), call.count);
        break;
      case Collective::kBroadcast:
        if (rank_ != call.root) std::memcpy(out, group_->buffer(static_cast<int>(call.root)), call.count);
        break;
      case Collective::kBarrier:
        break;
    }
    group_->done();
  }

  // Every rank's buffer, starting at element `begin`.
  template <class T>
  std::vector<const T*> sources(size_t begin) const {
    std::vector<const T*> all;
    for (int r = 0; r < size(); ++r) all.push_back(static_cast<const T*>(group_->buffer(r)) + begin);
    return all;
  }

  // Each rank reduces one slice over all ranks and writes it to every rank's buffer. No other rank accesses that slice
  // between the two barriers, so no scratch buffer is needed.
  template <class T>
  void reduce_all(const Call& call) {
    const auto ranks = static_cast<size_t>(size()), rank = static_cast<size_t>(rank_);
    const size_t begin = call.count * rank / ranks, count = call.count * (rank + 1) / ranks - begin;
    T* const mine = static_cast<T*>(group_->buffer(rank_)) + begin;
    reduce(call.collective, sources<T>(begin), mine, count);
    for (int r = 0; r < size(); ++r)
      if (r != rank_) std::memcpy(static_cast<T*>(group_->buffer(r)) + begin, mine, count * sizeof(T));
  }

  std::shared_ptr<Group> group_;
  int rank_;
};

std::unique_ptr<Communicator> communicator(std::shared_ptr<Group> group, int rank) {
  if (group->size() == 1) return self_communicator();
  return std::make_unique<ThreadCommunicator>(std::move(group), rank);
}

}  // namespace

void run_ranks(int tensor, int data, const std::function<void(Mesh&)>& body) {
  initialize_vector_math();
  if (tensor * data == 1) return body(*self_mesh());
  std::atomic<bool> aborted{false};
  std::vector<std::shared_ptr<Group>> tensor_groups,
      data_groups;  // one tensor group per replica, and vice versa
  for (int d = 0; d < data; ++d) tensor_groups.push_back(std::make_shared<Group>(tensor, aborted));
  for (int t = 0; t < tensor; ++t) data_groups.push_back(std::make_shared<Group>(data, aborted));

  std::mutex mutex;
  std::exception_ptr cause;
  const auto run = [&](int t, int d) {
    try {
      Mesh mesh(communicator(tensor_groups[static_cast<size_t>(d)], t),
                communicator(data_groups[static_cast<size_t>(t)], d));
      body(mesh);
      tensor_groups[static_cast<size_t>(d)]->end();
      data_groups[static_cast<size_t>(t)]->end();
    } catch (...) {
      {
        const std::lock_guard lock(mutex);
        if (!aborted.exchange(true)) cause = std::current_exception();
      }
      for (const auto& groups : {tensor_groups, data_groups})
        for (const auto& group : groups) group->wake();
    }
  };
  std::vector<std::thread> threads;
  for (int d = 0; d < data; ++d)
    for (int t = 0; t < tensor; ++t) threads.emplace_back(run, t, d);
  for (auto& thread : threads) thread.join();
  if (cause) std::rethrow_exception(cause);
}

}  // namespace assay::mesh
