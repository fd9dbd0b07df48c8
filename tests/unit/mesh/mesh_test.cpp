// Collectives against values worked out by hand, the order of summation, and the release of waiting ranks when one
// fails.
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <numeric>

#include "mesh/backends.h"

namespace assay::mesh {
namespace {

TEST(Mesh, CollectivesOnRawBuffers) {
  for (const int ranks : {1, 2, 4}) {
    run_ranks(ranks, 1, [&](Mesh& mesh) {
      auto& axis = mesh.tensor();
      const int r = axis.rank();
      std::vector<double> values{1.0 + r, 10.0 * r, -1.0 * r};
      axis.all_reduce(values.data(), 3, Dtype::kFloat64);
      const double total = ranks * (ranks - 1) / 2.0;
      EXPECT_EQ(values, (std::vector<double>{ranks + total, 10 * total, -total}));
      std::vector<int64_t> largest{r, -r};
      axis.all_reduce_max(largest.data(), 2, Dtype::kInt64);
      EXPECT_EQ(largest, (std::vector<int64_t>{ranks - 1, 0}));
      const float mine = static_cast<float>(r) + 0.5F;
      std::vector<float> all(static_cast<size_t>(ranks));
      axis.all_gather(&mine, all.data(), sizeof mine);
      for (int i = 0; i < ranks; ++i) EXPECT_EQ(all[static_cast<size_t>(i)], static_cast<float>(i) + 0.5F);
      std::vector<float> whole(static_cast<size_t>(2 * ranks));
      std::iota(whole.begin(), whole.end(), static_cast<float>(r));
      std::vector<float> part(2);
      axis.reduce_scatter(whole.data(), part.data(), 2, Dtype::kFloat32);
      for (int i = 0; i < 2; ++i)
        EXPECT_EQ(part[static_cast<size_t>(i)], static_cast<float>(ranks * (2 * r + i)) + static_cast<float>(total));
      int64_t from_root = r == ranks - 1 ? 42 : 0;
      axis.broadcast(&from_root, sizeof from_root, ranks - 1);
      EXPECT_EQ(from_root, 42);
    });
  }
}

// In floating point (1e16 + 1) - 1e16 depends on the order: ranks are added from 0 upwards on every element.
TEST(Mesh, SumsInRankOrder) {
  run_ranks(4, 1, [](Mesh& mesh) {
    const double terms[] = {1e16, 1.0, -1e16, 1.0};
    std::vector<double> values(1001, terms[mesh.tensor().rank()]);
    mesh.tensor().all_reduce(values.data(), values.size(), Dtype::kFloat64);
    for (const double value : values) EXPECT_EQ(value, ((1e16 + 1.0) - 1e16) + 1.0);
  });
}

TEST(Mesh, AxesAreIndependent) {
  run_ranks(2, 2, [](Mesh& mesh) {
    double value = 1 + mesh.tensor().rank() + 10 * mesh.data().rank();
    double other = value;
    mesh.tensor().all_reduce(&value, 1, Dtype::kFloat64);
    EXPECT_EQ(value, 3 + 20 * mesh.data().rank());
    mesh.data().all_reduce(&other, 1, Dtype::kFloat64);
    EXPECT_EQ(other, 2 * (1 + mesh.tensor().rank()) + 10);
  });
}

TEST(Mesh, AFailingRankReleasesTheOthersAndItsCauseIsReported) {
  std::atomic<int> released{0};
  try {
    run_ranks(2, 2, [&](Mesh& mesh) {
      if (mesh.tensor().rank() == 1 && mesh.data().rank() == 0) throw UserError("the cause");
      try {
        while (true) {
          mesh.tensor().barrier();
          mesh.data().barrier();
        }
      } catch (const RunStopped&) {
        ++released;
        throw;
      }
    });
    FAIL() << "nothing was thrown";
  } catch (const UserError& error) {
    EXPECT_STREQ(error.what(), "the cause");
  }
  EXPECT_EQ(released, 3);
}

// The ranks of an axis compare their calls, so that differences cause neither a hang nor a read beyond a buffer.
TEST(Mesh, DifferentCallsAreReported) {
  const auto error_of = [](const std::function<void(Communicator&)>& body) {
    try {
      run_ranks(3, 1, [&](Mesh& mesh) { body(mesh.tensor()); });
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  std::vector<float> values(300);
  const auto other = error_of([&](Communicator& axis) {
    if (axis.rank() == 1)
      axis.barrier();
    else
      axis.all_reduce_max(values.data() + 100 * axis.rank(), 2, Dtype::kFloat32);
  });
  EXPECT_NE(other.find("all_reduce max of 2 float32"), std::string::npos) << other;
  EXPECT_NE(other.find("barrier"), std::string::npos) << other;
  const auto longer = error_of([&](Communicator& axis) {
    axis.all_reduce(values.data() + 100 * axis.rank(), axis.rank() == 2 ? 90 : 8, Dtype::kFloat32);
  });
  EXPECT_NE(longer.find("all_reduce of 90 float32"), std::string::npos) << longer;
  EXPECT_NE(longer.find("all_reduce of 8 float32"), std::string::npos) << longer;
  const auto ended = error_of([](Communicator& axis) {
    if (axis.rank() != 0) axis.barrier();
  });
  EXPECT_NE(ended.find("a rank ended"), std::string::npos) << ended;
}

TEST(Mesh, CountsItsCalls) {
  run_ranks(2, 1, [](Mesh& mesh) {
    double values[3] = {};
    for (int i = 0; i < 4; ++i) mesh.tensor().all_reduce(values, 3, Dtype::kFloat64);
    float mine = 0, all[2] = {};
    mesh.tensor().all_gather(&mine, all, sizeof mine);
    mesh.tensor().reduce_scatter(all, &mine, 1, Dtype::kFloat32);
    mesh.data().all_reduce(values, 3, Dtype::kFloat64);  // one rank: no call is counted
    using Traffic = Communicator::Traffic;
    EXPECT_EQ(mesh.tensor().traffic(), (Traffic{{{Collective::kAllReduce, 24}, 4},
                                                {{Collective::kAllGather, 4}, 1},
                                                {{Collective::kReduceScatter, 4}, 1}}));
    EXPECT_EQ(mesh.data().traffic(), Traffic());
  });
}

TEST(Mesh, DifferentiableCollectives) {
  run_ranks(2, 1, [](Mesh& mesh) {
    const double r = mesh.tensor().rank();
    auto x = at::full({2, 3}, r + 1, at::TensorOptions().dtype(at::kDouble)).requires_grad_(true);
    (copy_to_tensor_parallel_region(x, mesh) * (r + 2)).sum().backward();  // f: gradients 2 and 3 are added
    EXPECT_EQ(x.grad().max().item<double>(), 5.0);
    x.mutable_grad() = Tensor();
    const auto summed = reduce_from_tensor_parallel_region(x, mesh);
    EXPECT_EQ(summed.min().item<double>(), 3.0);
    (summed * 7).sum().backward();  // g: the gradient passes unchanged
    EXPECT_EQ(x.grad().max().item<double>(), 7.0);
    x.mutable_grad() = Tensor();
    const auto whole = gather_from_tensor_parallel_region(x, -1, mesh);
    ASSERT_EQ(whole.size(1), 6);
    EXPECT_EQ(whole[1][2].item<double>(), 1.0);
    EXPECT_EQ(whole[0][3].item<double>(), 2.0);
    (whole * at::arange(6, at::TensorOptions().dtype(at::kDouble))).sum().backward();  // this rank's slice, once
    EXPECT_EQ(x.grad()[0][1].item<double>(), 3 * r + 1);
  });
}

// Positions split over two ranks: each operator and its gradient, on values that identify their origin.
TEST(Mesh, DifferentiableCollectivesOfASplitDimension) {
  const auto numbers = [](int64_t from, int64_t rows) {
    return at::arange(from, from + 2 * rows, at::kDouble).view({1, rows, 2});
  };
  run_ranks(2, 1, [&](Mesh& mesh) {
    const int64_t r = mesh.tensor().rank();
    const auto leaf = [](const Tensor& x) { return x.clone().requires_grad_(true); };
    // Gathered for layers that are split: rank r's consumers weight it by r + 1, and the gradients are summed.
    const auto part = leaf(numbers(4 * r, 2));
    const auto whole = gather_from_sequence_parallel_region(part, 1, mesh);
    EXPECT_TRUE(whole.equal(numbers(0, 4)));
    (whole * numbers(0, 4) * (r + 1)).sum().backward();
    EXPECT_TRUE(part.grad().equal(3 * numbers(4 * r, 2)));
    // Reduced and scattered, as after a row-parallel layer: each rank's consumers see their part alone.
    const auto share = leaf(numbers(0, 4) * (r + 1));
    const auto sum = reduce_scatter_to_sequence_parallel_region(share, -2, mesh);
    EXPECT_TRUE(sum.equal(3 * numbers(4 * r, 2)));
    (sum * (r + 1)).sum().backward();
    EXPECT_TRUE(
        share.grad().equal(at::cat({at::ones({1, 2, 2}, at::kDouble), 2 * at::ones({1, 2, 2}, at::kDouble)}, 1)));
    // Scattered and gathered again: a value that all ranks see alike has the same gradient on all ranks.
    const auto all = leaf(numbers(0, 4));
    const auto mine = scatter_to_tensor_parallel_region(all, 1, mesh);
    EXPECT_TRUE(mine.equal(numbers(4 * r, 2)));
    const auto again = gather_from_tensor_parallel_region(mine, 1, mesh);
    EXPECT_TRUE(again.equal(all));
    (again * numbers(0, 4)).sum().backward();
    EXPECT_TRUE(all.grad().equal(numbers(0, 4)));
    EXPECT_THROW(scatter_to_tensor_parallel_region(numbers(0, 3), 1, mesh), UserError);
  });
}

}  // namespace
}  // namespace assay::mesh
