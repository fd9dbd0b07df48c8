// Ranks as processes under MPI. Only point-to-point messages are used: data is gathered and summed here in rank order,
// so that a mesh is bit-identical to one of threads, independent of MPI's own collectives. While it waits, a rank polls
// for the message that another rank failed.
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "mesh/mpi/entry.h"
#include "mesh/reduce.h"

namespace assay::mesh {
namespace {

constexpr int kData = 1, kFailure = 2;     // tags
constexpr uint64_t kMaxBytes = 1 << 30;    // per message, because MPI counts are int
constexpr uint64_t kBlockBytes = 1 << 20;  // per rank and block of a reduction, which bounds the scratch buffer
constexpr int kSpins = 2000;               // polls before a waiting rank yields its core
constexpr std::chrono::microseconds kPause{20};

void check(int code, const char* what) {
  if (code != MPI_SUCCESS) throw std::runtime_error(std::string("MPI: ") + what + " failed");
}

// Throws RankFailed if the message "<class>\n<text>" of a failed rank has arrived.
void check_for_failure() {
  int there = 0;
  MPI_Status status;
  check(MPI_Iprobe(MPI_ANY_SOURCE, kFailure, MPI_COMM_WORLD, &there, &status), "probing for messages");
  if (!there) return;
  int bytes = 0;
  MPI_Get_count(&status, MPI_CHAR, &bytes);
  std::string text(static_cast<size_t>(bytes), '\0');
  check(MPI_Recv(text.data(), bytes, MPI_CHAR, status.MPI_SOURCE, kFailure, MPI_COMM_WORLD, MPI_STATUS_IGNORE),
        "receiving");
  const auto line = text.find('\n');
  throw RankFailed("rank " + std::to_string(status.MPI_SOURCE) + ": " + text.substr(line + 1), text.substr(0, line));
}

// Pending messages; their buffers must stay valid until wait returns.
class Exchange {
 public:
  explicit Exchange(MPI_Comm comm) : comm_(comm) {}
  // After a failure, no message may arrive in buffers that are about to be freed.
  ~Exchange() {
    for (auto& request : requests_) {
      if (request == MPI_REQUEST_NULL) continue;
      MPI_Cancel(&request);
      MPI_Request_free(&request);
    }
  }
  Exchange(const Exchange&) = delete;

  void send(const void* from, uint64_t bytes, int to) {
    for (uint64_t at = 0; at < bytes; at += kMaxBytes)
      check(MPI_Isend(static_cast<const char*>(from) + at, count(bytes, at), MPI_CHAR, to, kData, comm_, next()),
            "sending");
  }
  void receive(void* into, uint64_t bytes, int from) {
    for (uint64_t at = 0; at < bytes; at += kMaxBytes)
      check(MPI_Irecv(static_cast<char*>(into) + at, count(bytes, at), MPI_CHAR, from, kData, comm_, next()),
            "receiving");
  }
  void wait() {
    for (int spins = 0;; ++spins) {
      int done = 0;
      check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE), "waiting");
      if (done) break;
      if (spins % 64 == 0) check_for_failure();
      if (spins > kSpins) std::this_thread::sleep_for(kPause);
    }
    requests_.clear();
  }

 private:
  static int count(uint64_t bytes, uint64_t at) { return static_cast<int>(std::min(kMaxBytes, bytes - at)); }
  MPI_Request* next() { return &requests_.emplace_back(); }

  MPI_Comm comm_;
  std::vector<MPI_Request> requests_;
};

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(MPI_Comm comm, bool check_calls) : comm_(comm), check_calls_(check_calls) {
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  int rank() const override { return rank_; }
  int size() const override { return size_; }

 private:
  void make(const Call& call, const void* in, void* out) override {
    if (check_calls_) compare(call);
    const auto bytes = call.bytes();
    switch (call.collective) {
      case Collective::kAllReduce:
      case Collective::kAllReduceMax:
        return reduce_all(call, static_cast<char*>(out));
      case Collective::kReduceScatter:
        return reduce_slices(call, bytes, static_cast<const char*>(in), static_cast<char*>(out));
      case Collective::kAllGather:
        return gather_all(in, static_cast<char*>(out), bytes);
      case Collective::kBroadcast: {
        Exchange exchange(comm_);
        if (rank_ != call.root)
          exchange.receive(out, bytes, static_cast<int>(call.root));
        else
          each_other([&](int other) { exchange.send(out, bytes, other); });
        return exchange.wait();
      }
      case Collective::kBarrier: {
        std::string all(static_cast<size_t>(size_), '\0');
        const char mine = 0;
        return gather_all(&mine, all.data(), 1);
      }
    }
  }

  void each_other(const std::function<void(int)>& body) const {
    for (int other = 0; other < size_; ++other)
      if (other != rank_) body(other);
  }

  void gather_all(const void* mine, char* all, uint64_t bytes) const {
    Exchange exchange(comm_);
    each_other([&](int other) {
      exchange.receive(all + static_cast<uint64_t>(other) * bytes, bytes, other);
      exchange.send(mine, bytes, other);
    });
    std::memcpy(all + static_cast<uint64_t>(rank_) * bytes, mine, bytes);
    exchange.wait();
  }

  // reduce_scatter, block by block: `in` has one slice of `bytes` bytes per rank; `out` receives the slice of this
  // rank, reduced over all ranks.
  void reduce_slices(const Call& call, uint64_t bytes, const char* in, char* out) {
    const auto slice = [&](int of) { return in + static_cast<uint64_t>(of) * bytes; };
    for (uint64_t at = 0; at < bytes; at += kBlockBytes) {
      const auto block = std::min(kBlockBytes, bytes - at);
      reduce_block(
          call, block, slice(rank_) + at, out + at, [&](int other) { return slice(other) + at; },
          [&](int) { return block; });
    }
  }

  // all_reduce: each rank reduces one slice, as in the threads backend, and sends it to all ranks.
  void reduce_all(const Call& call, char* buffer) {
    const uint64_t width = call.count == 0 ? 1 : call.bytes() / call.count, ranks = static_cast<uint64_t>(size_);
    // Elements per round, such that one slice of each rank fits into the scratch buffer.
    const uint64_t round = std::max<uint64_t>(1, kBlockBytes / width) * ranks;
    for (uint64_t first = 0; first < call.count; first += round) {
      const uint64_t count = std::min(round, call.count - first);
      char* const here = buffer + first * width;
      const auto begin = [&](int of) { return count * static_cast<uint64_t>(of) / ranks * width; };
      const auto bytes = [&](int of) { return begin(of + 1) - begin(of); };
      reduce_block(
          call, bytes(rank_), here + begin(rank_), here + begin(rank_), [&](int other) { return here + begin(other); },
          bytes);
      Exchange exchange(comm_);
      each_other([&](int other) {
        exchange.receive(here + begin(other), bytes(other), other);
        exchange.send(here + begin(rank_), bytes(rank_), other);
      });
      exchange.wait();
    }
  }

  // Reduces `bytes` bytes of `mine` with those that the other ranks send, in rank order, into `out`; sends their blocks
  // to the other ranks.
  void reduce_block(const Call& call, uint64_t bytes, const char* mine, char* out,
                    const std::function<const char*(int)>& theirs, const std::function<uint64_t(int)>& bytes_of) {
    scratch_.resize(bytes * static_cast<uint64_t>(size_));
    const auto from = [&](int rank) { return scratch_.data() + static_cast<uint64_t>(rank) * bytes; };
    Exchange exchange(comm_);
    each_other([&](int other) {
      exchange.receive(from(other), bytes, other);
      exchange.send(theirs(other), bytes_of(other), other);
    });
    std::memcpy(from(rank_), mine, bytes);
    exchange.wait();
    dispatch_dtype(call.dtype, [&]<class T>(T) {
      std::vector<const T*> sources;
      for (int r = 0; r < size_; ++r) sources.push_back(reinterpret_cast<const T*>(from(r)));
      reduce(call.collective, sources, reinterpret_cast<T*>(out), bytes / sizeof(T));
    });
  }

  void compare(const Call& call) const {
    std::vector<Call> calls(static_cast<size_t>(size_));
    gather_all(&call, reinterpret_cast<char*>(calls.data()), sizeof call);
    require_equal_calls(calls, rank_);
  }

  MPI_Comm comm_;
  const bool check_calls_;
  int rank_ = 0, size_ = 1;
  std::vector<char> scratch_;
};

class MpiProcesses final : public Processes {
 public:
  MpiProcesses() {
    int level = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level), "starting");
    if (level < MPI_THREAD_FUNNELED)
      throw std::runtime_error("this MPI library does not support threads (MPI_THREAD_FUNNELED)");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);  // errors are reported like all others
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    MPI_Comm host;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &host);
    MPI_Comm_rank(host, &rank_on_host_);
    MPI_Comm_free(&host);
  }
  ~MpiProcesses() override { MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int rank_on_host() const override { return rank_on_host_; }

  std::unique_ptr<Communicator> split(int color, int key, bool check_calls) override {
    MPI_Comm comm;
    check(MPI_Comm_split(MPI_COMM_WORLD, color, key, &comm), "splitting");
    return std::make_unique<MpiCommunicator>(comm, check_calls);
  }

  std::string broadcast_text(std::string text) override {
    MpiCommunicator world(MPI_COMM_WORLD, false);
    uint64_t bytes = text.size();
    world.broadcast(&bytes, sizeof bytes, 0);
    text.resize(bytes);
    world.broadcast(text.data(), bytes, 0);
    world.barrier();
    return text;
  }

  void fail(const std::string& failure_class, const std::string& text) override {
    static const std::string failure = failure_class + "\n" + text;  // must stay valid until the process ends
    for (int other = 0; other < size_; ++other) {
      MPI_Request under_way;
      if (other != rank_)
        MPI_Isend(failure.data(), static_cast<int>(failure.size()), MPI_CHAR, other, kFailure, MPI_COMM_WORLD,
                  &under_way);
    }
  }

  [[noreturn]] void end(int exit_code) override {
    constexpr std::chrono::milliseconds kTick{50};
    constexpr int kTicks = 60 * 20;
    for (int tick = 0; rank_ > 0 && tick < kTicks; ++tick) {
      int progress = 0;  // makes MPI progress pending messages
      MPI_Iprobe(MPI_ANY_SOURCE, kData, MPI_COMM_WORLD, &progress, MPI_STATUS_IGNORE);
      std::this_thread::sleep_for(kTick);
    }
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::abort();
  }

 private:
  int rank_ = 0, size_ = 1, rank_on_host_ = 0;
};

}  // namespace
}  // namespace assay::mesh

extern "C" __attribute__((visibility("default"))) assay::mesh::Processes* assay_mpi_processes() {
  return new assay::mesh::MpiProcesses;
}
