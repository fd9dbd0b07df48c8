// Draws from a softmax: with its frequencies, the same on any mesh, never padding.
#include <ATen/ops/argmax.h>
#include <ATen/ops/full.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>
#include <mutex>
#include <vector>

#include "assay/nn.h"
#include "mesh/backends.h"
#include "unit/nn/drawn.h"

namespace assay::nn {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr int64_t kVocabulary = 13, kPadded = 16;

// Rows of logits whose padding would be sampled if it counted.
Tensor logits_of(int64_t rows) {
  auto logits = at::empty({rows, kPadded}, at::kDouble);
  const Draws draws(5, "logits");
  for (int64_t i = 0; i < logits.numel(); ++i)
    logits.data_ptr<double>()[i] = i % kPadded < kVocabulary ? 1.5 * draws.normal(static_cast<uint64_t>(i)) : 50;
  return logits;
}

std::vector<Draws> draws_of(int64_t rows) {
  std::vector<Draws> draws;
  for (int64_t row = 0; row < rows; ++row) draws.push_back(Draws(8, "sample").substream(static_cast<uint64_t>(row)));
  return draws;
}

std::vector<int64_t> sampled(const Tensor& logits, const std::vector<Draws>& draws, int ranks) {
  std::vector<int64_t> ids;
  std::mutex mutex;
  mesh::run_ranks(ranks, 1, [&](Mesh& mesh) {
    const auto width = kPadded / ranks;
    const auto mine = sample(logits.narrow(1, width * mesh.tensor().rank(), width), draws, kVocabulary, kPadded, mesh);
    const std::lock_guard lock(mutex);
    const std::vector<int64_t> found(mine.const_data_ptr<int64_t>(), mine.const_data_ptr<int64_t>() + mine.numel());
    if (ids.empty()) ids = found;
    EXPECT_EQ(ids, found) << "rank " << mesh.tensor().rank();
  });
  return ids;
}

TEST(Sample, IsTheSameOnEveryMesh) {
  const auto logits = logits_of(200);
  const auto one = sampled(logits, draws_of(200), 1);
  for (const int ranks : {2, 4, 8}) EXPECT_EQ(sampled(logits, draws_of(200), ranks), one) << ranks;
  for (const auto id : one) EXPECT_LT(id, kVocabulary);
  // A row's draws do not depend on the rows beside it.
  const auto last = sampled(logits.narrow(0, 199, 1), {draws_of(200).back()}, 2);
  EXPECT_EQ(last.at(0), one.back());
}

// The largest of all logits plus their noise: logits that the search skips could not have won.
TEST(Sample, IsTheLargestOfAllLogitsPlusTheirNoise) {
  constexpr int64_t kRows = 200, kWide = 500;
  auto logits = at::empty({kRows, kWide}, at::kDouble);
  const Draws numbers(6, "wide logits");
  std::vector<Draws> draws;
  for (int64_t row = 0; row < kRows; ++row) {
    const double spread = 0.05 * static_cast<double>(row % 100);  // from equal logits to one far above the others
    for (int64_t id = 0; id < kWide; ++id)
      logits[row][id].fill_(spread * numbers.normal(static_cast<uint64_t>(row * kWide + id)));
    draws.push_back(numbers.substream(static_cast<uint64_t>(row)));
  }
  const auto mesh = mesh::self_mesh();
  const auto found = sample(logits, draws, kWide, kWide, *mesh);
  for (int64_t row = 0; row < kRows; ++row) {
    double best = -1e300;
    int64_t due = 0;
    for (int64_t id = 0; id < kWide; ++id) {
      const auto word = draws[size_t(row)].block(static_cast<uint64_t>(id / 4))[size_t(id % 4)];
      const double value = logits[row][id].item<double>() - std::log(-std::log((word + 0.5) / 4294967296.0));
      if (value > best) best = value, due = id;
    }
    EXPECT_EQ(found[row].item<int64_t>(), due) << row;
  }
}

TEST(Sample, MatchesTheFrequenciesOfTheSoftmax) {
  constexpr int64_t kDraws = 20000;
  const auto logits = logits_of(1);
  const auto p = at::softmax(logits[0].narrow(0, 0, kVocabulary), 0);
  std::vector<double> counts(kVocabulary);
  for (const auto id : sampled(logits.expand({kDraws, kPadded}), draws_of(kDraws), 2)) ++counts[size_t(id)];
  double chi_square = 0;
  for (int64_t id = 0; id < kVocabulary; ++id) {
    const double expected = kDraws * p[id].item<double>();
    chi_square += std::pow(counts[size_t(id)] - expected, 2) / expected;
  }
  EXPECT_LT(chi_square, 32.9);  // 12 degrees of freedom, p = 0.001
}

TEST(Sample, WithoutDrawsIsTheMostLikely) {
  auto logits = logits_of(50);
  logits[3].fill_(2);  // the first of equal logits wins
  const auto best = at::argmax(logits.narrow(1, 0, kVocabulary), 1);
  for (const int ranks : {1, 2, 4}) {
    const auto found = sampled(logits, {}, ranks);
    for (int64_t row = 0; row < 50; ++row)
      EXPECT_EQ(found[size_t(row)], row == 3 ? 0 : best[row].item<int64_t>()) << row;
  }
  EXPECT_TRUE(sampled(logits.narrow(0, 0, 0), {}, 2).empty());
}

TEST(Sample, RefusesWhatIsNotASlice) {
  const auto mesh = mesh::self_mesh();
  EXPECT_THAT([&] { sample(logits_of(2).narrow(1, 0, 8), {}, kVocabulary, kPadded, *mesh); },
              ThrowsMessage<UserError>(HasSubstr("every row must have 16 logits, this rank's slice of 16")));
  EXPECT_THAT([&] { sample(logits_of(2), draws_of(3), kVocabulary, kPadded, *mesh); },
              ThrowsMessage<UserError>(HasSubstr("3 draws for 2 rows")));
}

}  // namespace
}  // namespace assay::nn
