// Ranks with one GPU each, against a stub that records the calls to NCCL: which calls go to it, in which order, and
// that no rank waits forever when one fails. With a GPU, NCCL itself on one rank.
#include "mesh/nccl/nccl.h"

#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "device/device.h"
#include "run/step.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

// Performs the calls on the host and records them. All memory counts as a GPU's, or only that in [begin, end).
class Recorder final : public mesh::DeviceCollectives {
 public:
  Recorder(Communicator& host, std::vector<std::string>& calls, const char* begin = nullptr, const char* end = nullptr)
      : host_(host), calls_(calls), begin_(begin), end_(end) {}
  bool is_device_memory(const void* buffer) const override {
    const auto* at = static_cast<const char*>(buffer);
    return !begin_ || (at >= begin_ && at < end_);
  }
  void all_reduce(void* buffer, size_t count, Dtype dtype, bool max) override {
    calls_.push_back((max ? "max " : "sum ") + std::to_string(count) + (dtype == Dtype::kFloat64 ? " double" : ""));
    max ? host_.all_reduce_max(buffer, count, dtype) : host_.all_reduce(buffer, count, dtype);
  }
  void all_gather(const void* mine, void* all, size_t bytes) override {
    calls_.push_back("gather " + std::to_string(bytes));
    host_.all_gather(mine, all, bytes);
  }
  void reduce_scatter(const void* all, void* mine, size_t count, Dtype dtype) override {
    calls_.push_back("scatter " + std::to_string(count));
    host_.reduce_scatter(all, mine, count, dtype);
  }
  void broadcast(void* buffer, size_t bytes, int root) override {
    calls_.push_back("broadcast " + std::to_string(bytes) + " from " + std::to_string(root));
    host_.broadcast(buffer, bytes, root);
  }
  void abort() override { calls_.push_back("abort"); }

 private:
  Communicator& host_;
  std::vector<std::string>& calls_;
  const char *begin_, *end_;
};

using Calls = std::vector<std::string>;

TEST(Nccl, CallsDependOnTheDeviceOfTheirBuffers) {
  std::array<Calls, 2> calls;
  mesh::run_ranks(2, 1, [&](Mesh& mesh) {
    auto& host = mesh.tensor();
    const auto rank = static_cast<size_t>(host.rank());
    std::array<float, 4> gpu{1, 2, 3, 4}, cpu{5, 6, 7, 8};
    std::array<float, 8> all{};
    Recorder devices(host, calls[rank], reinterpret_cast<char*>(gpu.data()), reinterpret_cast<char*>(gpu.data() + 4));
    const auto axis = mesh::device_communicator(host, devices);
    axis->all_reduce(cpu.data(), 4, Dtype::kFloat32);
    axis->all_reduce(gpu.data(), 3, Dtype::kFloat32);
    axis->all_reduce_max(gpu.data(), 4, Dtype::kFloat32);
    axis->all_gather(gpu.data(), all.data(), 16);
    axis->all_gather(cpu.data(), all.data(), 16);
    axis->reduce_scatter(gpu.data(), all.data(), 2, Dtype::kFloat32);
    axis->broadcast(gpu.data(), 8, 1);
    axis->broadcast(cpu.data(), 8, 0);
    axis->barrier();
    EXPECT_EQ(gpu, (std::array<float, 4>{2, 4, 6, 4}));
    EXPECT_EQ(cpu, (std::array<float, 4>{10, 12, 14, 16}));
    EXPECT_EQ(all[0], rank == 0 ? 4 : 12);
    EXPECT_EQ(axis->size(), 2);
  });
  const Calls expected{"sum 3", "max 4", "gather 16", "scatter 2", "broadcast 8 from 1"};
  EXPECT_EQ(calls[0], expected);
  EXPECT_EQ(calls[1], expected);
}

// One step of two layers on two ranks, in the order of the model: embedding, attention and feed-forward of each layer,
// three for the cross entropy, the head's gradient, the backward passes of the layers; then the norm.
TEST(Nccl, SequenceOfCallsInAStep) {
  TinyRun tiny;
  tiny.line["train"]["train"]["precision"] = "fp32";
  std::array<Calls, 2> calls;
  mesh::run_ranks(2, 1, [&](Mesh& host) {
    mesh::DeviceRanks devices(
        [&](Communicator& axis) { return std::make_unique<Recorder>(axis, calls[static_cast<size_t>(axis.rank())]); });
    devices.run(host, [&](Mesh& mesh) {
      tiny.on_rank(mesh, [&](run::Assembled& run, const Mesh&, data::TrainingData& data) {
        auto& mine = calls[static_cast<size_t>(mesh.tensor().rank())];
        mine.clear();
        run::Metrics metrics;
        run::accumulate_gradients(run, mesh, 0, {data.rows(0, 6, 0)}, metrics);
        run::gradient_norm(run.parameters->all(), mesh);
      });
    });
  });
  const std::string hidden = "sum " + std::to_string(6 * 16 * 16), token = std::to_string(6 * 16);
  Calls expected(5, hidden);
  for (const auto& call : {"max " + token, "sum " + token, "sum " + token}) expected.push_back(call);
  expected.insert(expected.end(), 5, hidden);
  expected.push_back("sum 1 double");
  EXPECT_EQ(calls[0], expected);
  EXPECT_EQ(calls[1], expected);
}

TEST(Nccl, AFailingRankEndsTheWaitOfAll) {
  std::array<Calls, 2> calls;
  mesh::DeviceRanks devices(
      [&](Communicator& axis) { return std::make_unique<Recorder>(axis, calls[static_cast<size_t>(axis.rank())]); });
  const auto body = [&](Mesh& mesh) {
    mesh.tensor().barrier();  // both have started
    if (mesh.tensor().rank() == 1) throw UserError("rank 1 fails");
    mesh.tensor().barrier();
  };
  EXPECT_THROW(mesh::run_ranks(2, 1, [&](Mesh& host) { devices.run(host, body); }), UserError);
  EXPECT_EQ(calls[0], Calls{"abort"});
  EXPECT_EQ(calls[1], Calls{"abort"});
}

TEST(Nccl, OneRankOnAGpu) {
  if (!mesh::has_nccl() || !kernels::device::available()) GTEST_SKIP() << "no GPU, or a build without CUDA";
  const auto host = mesh::self_communicator();
  const auto nccl = mesh::nccl_collectives(*host);
  std::array<float, 4> values{1, 2, 3, 4}, back{};
  auto* const gpu = static_cast<float*>(kernels::device::copy_in(values.data(), sizeof values));
  EXPECT_TRUE(nccl->is_device_memory(gpu));
  EXPECT_FALSE(nccl->is_device_memory(values.data()));
  nccl->all_reduce(gpu, 4, Dtype::kFloat32, false);
  nccl->broadcast(gpu, sizeof values, 0);
  kernels::device::copy_out(back.data(), gpu, sizeof back);
  EXPECT_EQ(back, values);
  kernels::device::release(gpu);
}

}  // namespace
}  // namespace assay::testing
