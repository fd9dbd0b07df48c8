#include "mesh/backends.h"

#include <ATen/ops/exp.h>
#include <ATen/ops/ones.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "assay/error.h"

namespace assay {
namespace {

class SelfCommunicator final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void sum(void*, size_t, Number) override {}
  void max(void*, size_t, Number) override {}
  void gather(const void* mine, void* all, size_t bytes) override { std::memcpy(all, mine, bytes); }
  void scatter_sum(const void* all, void* mine, size_t count, Number type) override {
    std::memcpy(mine, all, count * (type == Number::kFloat32 ? 4 : 8));
  }
  void broadcast(void*, size_t, int) override {}
  void barrier() override {}
};

class ShapeCommunicator final : public Communicator {
 public:
  explicit ShapeCommunicator(int size) : size_(size) {}
  int rank() const override { return 0; }
  int size() const override { return size_; }
  void sum(void*, size_t, Number) override { refuse(); }
  void max(void*, size_t, Number) override { refuse(); }
  void gather(const void*, void*, size_t) override { refuse(); }
  void scatter_sum(const void*, void*, size_t, Number) override { refuse(); }
  void broadcast(void*, size_t, int) override { refuse(); }
  void barrier() override { refuse(); }

 private:
  [[noreturn]] static void refuse() { throw UserError("build must not reduce over the mesh; it only declares"); }
  int size_;
};

// What the threads of one axis share: a barrier that can be aborted, and each rank's published buffer.
class Group {
 public:
  explicit Group(int size, const std::atomic<bool>& aborted)
      : buffers(static_cast<size_t>(size)), size_(size), aborted_(aborted) {}

  // Spins a little (ranks usually arrive together), then sleeps; leaves with RunStopped once the mesh is aborted.
  void barrier() {
    const auto generation = generation_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
      arrived_.store(0, std::memory_order_relaxed);
      {
        const std::lock_guard lock(mutex_);
        generation_.store(generation + 1, std::memory_order_release);
      }
      wake_.notify_all();
      return;
    }
    for (int spin = 0; spin < kSpins; ++spin)
      if (generation_.load(std::memory_order_acquire) != generation) return;
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return generation_.load(std::memory_order_acquire) != generation || aborted_.load(); });
    if (generation_.load(std::memory_order_acquire) == generation) throw RunStopped("another rank failed");
  }

  void wake() {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }

  std::vector<void*> buffers;
  int size() const { return size_; }

 private:
  static constexpr int kSpins = 4000;
  const int size_;
  const std::atomic<bool>& aborted_;
  std::atomic<int> arrived_{0};
  std::atomic<uint64_t> generation_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
};

struct Sum {
  template <class T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<Group> group, int rank) : group_(std::move(group)), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return group_->size(); }

  void sum(void* buffer, size_t count, Number type) override { reduce_all(buffer, count, type, Sum{}); }
  void max(void* buffer, size_t count, Number type) override { reduce_all(buffer, count, type, Max{}); }

  void gather(const void* mine, void* all, size_t bytes) override {
    publish(const_cast<void*>(mine));
    for (int r = 0; r < size(); ++r)
      std::memcpy(static_cast<char*>(all) + static_cast<size_t>(r) * bytes, group_->buffers[static_cast<size_t>(r)],
                  bytes);
    group_->barrier();
  }

  void scatter_sum(const void* all, void* mine, size_t count, Number type) override {
    publish(const_cast<void*>(all));
    dispatch(type, [&]<class T>(T) {
      auto* out = static_cast<T*>(mine);
      const size_t begin = static_cast<size_t>(rank_) * count;
      for (size_t i = 0; i < count; ++i) {
        T total = source<T>(0)[begin + i];
        for (int r = 1; r < size(); ++r) total = total + source<T>(r)[begin + i];
        out[i] = total;
      }
    });
    group_->barrier();
  }

  void broadcast(void* buffer, size_t bytes, int root) override {
    publish(buffer);
    if (rank_ != root) std::memcpy(buffer, group_->buffers[static_cast<size_t>(root)], bytes);
    group_->barrier();
  }

  void barrier() override { group_->barrier(); }

 private:
  template <class Body>
  static void dispatch(Number type, Body&& body) {
    if (type == Number::kFloat32) return body(float{});
    if (type == Number::kFloat64) return body(double{});
    body(int64_t{});
  }

  template <class T>
  T* source(int rank) const {
    return static_cast<T*>(group_->buffers[static_cast<size_t>(rank)]);
  }

  void publish(void* buffer) {
    group_->buffers[static_cast<size_t>(rank_)] = buffer;
    group_->barrier();
  }

  // Each rank reduces one slice over all ranks, in rank order, and writes it into every rank's buffer: nobody else
  // touches that slice between the two barriers, so no scratch is needed.
  template <class Operation>
  void reduce_all(void* buffer, size_t count, Number type, Operation operation) {
    publish(buffer);
    dispatch(type, [&]<class T>(T) {
      const auto ranks = static_cast<size_t>(size());
      const size_t begin = count * static_cast<size_t>(rank_) / ranks,
                   end = count * (static_cast<size_t>(rank_) + 1) / ranks;
      for (size_t i = begin; i < end; ++i) {
        T total = source<T>(0)[i];
        for (int r = 1; r < size(); ++r) total = operation(total, source<T>(r)[i]);
        for (int r = 0; r < size(); ++r) source<T>(r)[i] = total;
      }
    });
    group_->barrier();
  }

  std::shared_ptr<Group> group_;
  int rank_;
};

std::unique_ptr<Communicator> communicator(std::shared_ptr<Group> group, int rank) {
  if (group->size() == 1) return std::make_unique<SelfCommunicator>();
  return std::make_unique<ThreadCommunicator>(std::move(group), rank);
}

// MKL chooses the kernels of its vector maths at the first call in a process, and not safely: when two ranks come there
// at once, one of them can get the first exponential of its run from a coarser kernel (errors of 1e-5). So one call is
// made before there are ranks; any function and type settles it for all.
void settle_vector_maths() { [[maybe_unused]] static const at::Tensor first = at::ones({8}).exp(); }

}  // namespace

std::unique_ptr<Mesh> self_mesh() {
  return std::make_unique<Mesh>(std::make_unique<SelfCommunicator>(), std::make_unique<SelfCommunicator>());
}

std::unique_ptr<Mesh> shape_mesh(int tensor, int data) {
  return std::make_unique<Mesh>(std::make_unique<ShapeCommunicator>(tensor), std::make_unique<ShapeCommunicator>(data));
}

void run_ranks(int tensor, int data, const std::function<void(Mesh&)>& body) {
  settle_vector_maths();
  if (tensor * data == 1) return body(*self_mesh());
  std::atomic<bool> aborted{false};
  std::vector<std::shared_ptr<Group>> tensor_groups,
      data_groups;  // one tensor group a replica, and the other way round
  for (int d = 0; d < data; ++d) tensor_groups.push_back(std::make_shared<Group>(tensor, aborted));
  for (int t = 0; t < tensor; ++t) data_groups.push_back(std::make_shared<Group>(data, aborted));

  std::mutex mutex;
  std::exception_ptr cause;
  const auto run = [&](int t, int d) {
    try {
      Mesh mesh(communicator(tensor_groups[static_cast<size_t>(d)], t),
                communicator(data_groups[static_cast<size_t>(t)], d));
      body(mesh);
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

}  // namespace assay
