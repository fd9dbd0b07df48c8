// ALiBi against the values of its authors' get_slopes, and against attention worked out by hand.
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "assay/positional.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using ::testing::ElementsAre;
using Row = std::vector<double>;
using Matrix = std::vector<Row>;

AttentionContext context_of(int64_t heads_total, int64_t head_begin, int64_t heads, at::ScalarType type = at::kDouble) {
  AttentionContext context;
  context.head_begin = head_begin;
  context.heads = heads;
  context.heads_total = heads_total;
  context.query_positions = context.key_positions = at::arange(4, at::kLong).unsqueeze(0);
  context.score_type = type;
  return context;
}

Row slopes(int64_t total, int64_t begin = 0, int64_t heads = -1, double max_exponent = 8.0) {
  const auto alibi = make<Positional>("alibi", {{"max_exponent", max_exponent}});
  return values_of(alibi->attention_bias(context_of(total, begin, heads < 0 ? total : heads)).slopes_H);
}

std::vector<uint32_t> fp32_bits(int64_t total) {
  const auto bias = make<Positional>("alibi")->attention_bias(context_of(total, 0, total, at::kFloat));
  EXPECT_EQ(bias.slopes_H.scalar_type(), at::kFloat);
  std::vector<uint32_t> bits;
  for (const float slope : values_of<float>(bias.slopes_H)) bits.push_back(std::bit_cast<uint32_t>(slope));
  return bits;
}

double sum(const Row& row) {
  double total = 0;
  for (const double value : row) total += value;
  return total;
}

TEST(Alibi, PowersOfTwo) {
  EXPECT_EQ(slopes(1), (Row{0x1p-8}));
  EXPECT_EQ(slopes(2), (Row{0x1p-4, 0x1p-8}));
  EXPECT_EQ(slopes(4), (Row{0x1p-2, 0x1p-4, 0x1p-6, 0x1p-8}));
  EXPECT_EQ(slopes(8), (Row{0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625}));
  EXPECT_EQ(sum(slopes(8)), 0.99609375);
  EXPECT_NEAR(sum(slopes(16)), 2.4047830406450754, 1e-15);
}

TEST(Alibi, OtherHeadCountsAppendEveryOtherSlopeUnsorted) {
  EXPECT_EQ(slopes(3), (Row{0x1p-4, 0x1p-8, 0x1p-2}));
  EXPECT_EQ(slopes(6), (Row{0x1p-2, 0x1p-4, 0x1p-6, 0x1p-8, 0x1p-1, 0x1p-3}));
  EXPECT_EQ(slopes(12), (Row{0x1p-1, 0x1p-2, 0x1p-3, 0x1p-4, 0x1p-5, 0x1p-6, 0x1p-7, 0x1p-8, 0.70710678118654757,
                             0.35355339059327379, 0.17677669529663689, 0.088388347648318447}));
  EXPECT_NEAR(sum(slopes(12)), 2.3219189647247767, 1e-15);
}

TEST(Alibi, Fp32Bits) {
  EXPECT_THAT(fp32_bits(12), ElementsAre(0x3f000000, 0x3e800000, 0x3e000000, 0x3d800000, 0x3d000000, 0x3c800000,
                                         0x3c000000, 0x3b800000, 0x3f3504f3, 0x3eb504f3, 0x3e3504f3, 0x3db504f3));
  EXPECT_THAT(fp32_bits(16), ElementsAre(0x3f3504f3, 0x3f000000, 0x3eb504f3, 0x3e800000, 0x3e3504f3, 0x3e000000,
                                         0x3db504f3, 0x3d800000, 0x3d3504f3, 0x3d000000, 0x3cb504f3, 0x3c800000,
                                         0x3c3504f3, 0x3c000000, 0x3bb504f3, 0x3b800000));
}

// Two known mistakes: the paper's formula applied literally to 12 heads, and counting heads from 0.
TEST(Alibi, KnownMistakesAreNotMade) {
  const auto twelve = slopes(12);
  for (int h = 1; h <= 12; ++h)
    if (8 * h % 12 != 0) {
      for (const double slope : twelve) EXPECT_GT(std::abs(slope - std::exp2(-8.0 * h / 12)), 1e-3) << h;
    }
  for (int64_t n = 1; n <= 64; ++n) EXPECT_LT(slopes(n)[0], 1.0) << n;
}

// MPT's construction: every second slope of the next power of two's list, then the others; as a set they are the same.
TEST(Alibi, SameSetAsTheOtherPublicConstruction) {
  for (int64_t n = 1; n <= 128; ++n) {
    int64_t power = 1;
    while (power < n) power *= 2;
    Row other;
    for (const int64_t first : {int64_t{1}, int64_t{0}})
      for (int64_t i = first; i < power; i += 2)
        other.push_back(1.0 / std::pow(2.0, static_cast<double>(i + 1) * 8.0 / static_cast<double>(power)));
    if (power == n) std::sort(other.rbegin(), other.rend());
    other.resize(static_cast<size_t>(n));
    auto ours = slopes(n);
    ASSERT_EQ(ours.size(), other.size());
    std::sort(ours.begin(), ours.end());
    std::sort(other.begin(), other.end());
    for (size_t h = 0; h < ours.size(); ++h) EXPECT_NEAR(ours[h], other[h], 5.6e-16) << n << " heads";
  }
}

TEST(Alibi, RanksTakeSlicesOfTheGlobalSlopes) {
  EXPECT_EQ(slopes(12, 6, 3), (Row{0x1p-7, 0x1p-8, 0.70710678118654757}));
  for (const int64_t n : {4, 8, 12})
    for (const int64_t ranks : {1, 2, 4}) {
      Row gathered;
      for (int64_t rank = 0; rank < ranks; ++rank)
        for (const double slope : slopes(n, rank * n / ranks, n / ranks)) gathered.push_back(slope);
      EXPECT_EQ(gathered, slopes(n)) << n << " heads on " << ranks << " ranks";
    }
}

TEST(Alibi, MaxExponentIsThatOfTheLastHead) { EXPECT_EQ(slopes(4, 0, -1, 4.0), (Row{0.5, 0.25, 0.125, 0.0625})); }

// Attention of one head with bias[query][key], in plain loops; future keys (by position) are masked.
struct Attention {
  Matrix probabilities, out;
};
Attention attend(const Matrix& q, const Matrix& k, const Matrix& v, const Matrix& bias, size_t first_query = 0) {
  Attention result;
  for (size_t i = 0; i < q.size(); ++i) {
    Row p;
    for (size_t j = 0; j <= i + first_query; ++j) {
      double score = 0;
      for (size_t c = 0; c < q[i].size(); ++c) score += q[i][c] * k[j][c];
      p.push_back(std::exp(score / std::sqrt(static_cast<double>(q[i].size())) + bias[i][j]));
    }
    const double total = sum(p);
    Row out(v[0].size(), 0.0);
    for (size_t j = 0; j < p.size(); ++j) {
      p[j] /= total;
      for (size_t c = 0; c < out.size(); ++c) out[c] += p[j] * v[j][c];
    }
    p.resize(k.size(), 0.0);
    result.probabilities.push_back(p);
    result.out.push_back(out);
  }
  return result;
}

// The dense bias of one head for queries and keys at these positions.
Matrix bias_of(int64_t heads, int64_t head, const std::vector<int64_t>& queries, const std::vector<int64_t>& keys,
               bool causal = true) {
  auto context = context_of(heads, head, 1);
  context.query_positions = at::tensor(queries, at::kLong).unsqueeze(0);
  context.key_positions = at::tensor(keys, at::kLong).unsqueeze(0);
  context.causal = causal;
  const auto dense = make<Positional>("alibi")->attention_bias(context).dense(context);
  EXPECT_EQ(dense.scalar_type(), at::kDouble);
  const auto flat = values_of(dense);
  Matrix rows;
  for (size_t i = 0; i < queries.size(); ++i)
    rows.emplace_back(flat.begin() + static_cast<int64_t>(i * keys.size()),
                      flat.begin() + static_cast<int64_t>((i + 1) * keys.size()));
  return rows;
}

void expect_near(const Matrix& got, const Matrix& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].size(), expected[i].size());
    for (size_t j = 0; j < got[i].size(); ++j) EXPECT_NEAR(got[i][j], expected[i][j], tolerance) << i << ", " << j;
  }
}

const Matrix kQ{{1, 0}, {0, 1}, {1, 1}, {-1, 2}}, kK{{1, 1}, {0, 2}, {-1, 0}, {2, 1}},
    kV{{1, 2}, {3, 4}, {5, 6}, {7, 8}};
const Matrix kZero(4, Row(2, 0.0));

TEST(Alibi, AttentionFixture) {
  const auto got = attend(kQ, kK, kV, bias_of(2, 0, {0, 1, 2, 3}, {0, 1, 2, 3}));
  expect_near(got.probabilities,
              {{1, 0, 0, 0},
               {.31656417, .68343583, 0, 0},
               {.45447756, .48378885, .06173359, 0},
               {.08614697, .76499944, .09761730, .05123629}},
              5e-9);
  expect_near(got.out, {{1, 2}, {2.36687165, 3.36687165}, {2.21451206, 3.21451206}, {3.22788581, 4.22788581}}, 1e-8);
}

TEST(Alibi, WithoutContentTheBiasAloneDecides) {
  const auto steep = attend(kZero, kZero, kV, bias_of(8, 0, {0, 1, 2, 3}, {0, 1, 2, 3}));
  expect_near({steep.probabilities[3]}, {{.10153632, .16740510, .27600434, .45505423}}, 5e-9);
  const auto flat = attend(kZero, kZero, kV, bias_of(8, 7, {0, 1, 2, 3}, {0, 1, 2, 3}));
  expect_near({flat.probabilities[3]}, {{.24853707, .24950982, .25048637, .25146675}}, 5e-9);
}

TEST(Alibi, WindowsOfEightHeads) {
  const Row expected{4.6, 9.2, 18.4, 36.8, 73.7, 147.4, 294.7, 589.5};
  const auto all = slopes(8);
  for (size_t h = 0; h < 8; ++h) EXPECT_NEAR(std::log(10.0) / all[h], expected[h], 0.05);
}

TEST(Alibi, RowConstantFormGivesTheSameOutput) {
  Matrix row_constant(4, Row(4));
  for (auto& row : row_constant)
    for (size_t j = 0; j < 4; ++j) row[j] = 0x1p-4 * static_cast<double>(j);
  expect_near(attend(kQ, kK, kV, bias_of(2, 0, {0, 1, 2, 3}, {0, 1, 2, 3})).out, attend(kQ, kK, kV, row_constant).out,
              1e-14);
}

TEST(Alibi, TranslationChangesNothing) {
  EXPECT_EQ(bias_of(2, 0, {0, 1, 2, 3}, {0, 1, 2, 3}),
            bias_of(2, 0, {1000, 1001, 1002, 1003}, {1000, 1001, 1002, 1003}));
}

TEST(Alibi, CachedQueriesSeeTheirRowsOfTheWhole) {
  const auto whole = attend(kQ, kK, kV, bias_of(2, 0, {0, 1, 2, 3}, {0, 1, 2, 3}));
  const auto last_two = attend({kQ[2], kQ[3]}, kK, kV, bias_of(2, 0, {2, 3}, {0, 1, 2, 3}), 2);
  expect_near(last_two.out, {whole.out[2], whole.out[3]}, 0);
  const auto prefix =
      attend({kQ[0], kQ[1]}, {kK[0], kK[1]}, kV, bias_of(2, 0, {0, 1}, {0, 1}));  // nothing has been appended yet
  expect_near(prefix.out, {whole.out[0], whole.out[1]}, 0);
}

TEST(Alibi, BidirectionalModelsGetTheAbsoluteDistance) {
  expect_near(bias_of(2, 0, {1}, {0, 1, 3}, false), {{-0x1p-4, 0, -0x1p-3}}, 0);
}

// <EOT> | <PRE> a b | <SUF> c d | <MID> e: the layout of a document in fill-in-the-middle, after an end of text.
const std::vector<int64_t> kSegments{0, 5, 5, 5, 7, 7, 7, 6, 6};
constexpr double kNo = -std::numeric_limits<double>::infinity();

AttentionContext of_parts(int64_t heads_total, int64_t head_begin, int64_t heads, size_t first_query = 0) {
  auto context = context_of(heads_total, head_begin, heads);
  const auto size = static_cast<int64_t>(kSegments.size()), first = static_cast<int64_t>(first_query);
  context.key_positions = at::arange(size, at::kLong).unsqueeze(0);
  context.key_segments = at::tensor(kSegments, at::kLong).unsqueeze(0);
  context.query_positions = context.key_positions.slice(1, first);
  context.query_segments = context.key_segments.slice(1, first);
  return context;
}

// For one query and head: minus the distance to every key.
Row distances(const std::string& parts, size_t query, int64_t head) {
  const auto context = of_parts(4, 0, 4);
  const auto dense = make<Positional>("alibi", {{"parts", parts}})->attention_bias(context).dense(context);
  Row row = values_of(dense[0][head][static_cast<int64_t>(query)].slice(0, 0, static_cast<int64_t>(query) + 1));
  for (auto& value : row) value /= -slopes(4)[static_cast<size_t>(head)];
  return row;
}

TEST(Alibi, PositionsMayRestartInEveryPart) {
  EXPECT_EQ(distances("positions", 8, 1), (Row{8, 1, 0, 1, 1, 0, 1, 1, 0}));
  EXPECT_EQ(distances("positions", 5, 1), (Row{5, 1, 0, 1, 1, 0}));
  EXPECT_EQ(distances("positions", 2, 1), (Row{2, 1, 0}));
  EXPECT_EQ(distances("ignored", 8, 1), (Row{8, 7, 6, 5, 4, 3, 2, 1, 0}));
}

TEST(Alibi, PartsMayComeRightBeforeTheQuerys) {
  EXPECT_EQ(distances("distances", 8, 1), (Row{8, 4, 3, 2, 4, 3, 2, 1, 0}));
  EXPECT_EQ(distances("distances", 7, 1), (Row{7, 3, 2, 1, 3, 2, 1, 0}));
  EXPECT_EQ(distances("distances", 5, 1), (Row{5, 4, 3, 2, 1, 0}));
}

TEST(Alibi, PartsMayHaveHeadsOfTheirOwn) {
  EXPECT_EQ(distances("heads", 8, 0), (Row{8, 4, 3, 2, -kNo, -kNo, -kNo, 1, 0}));  // the head of the prefix
  EXPECT_EQ(distances("heads", 8, 3), distances("heads", 8, 0));
  EXPECT_EQ(distances("heads", 8, 1), (Row{8, -kNo, -kNo, -kNo, 4, 3, 2, 1, 0}));
  EXPECT_EQ(distances("heads", 8, 2), (Row{8, -kNo, -kNo, -kNo, -kNo, -kNo, -kNo, 1, 0}));
  EXPECT_EQ(distances("heads", 5, 0), (Row{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(distances("heads", 5, 1), (Row{5, -kNo, -kNo, -kNo, 1, 0}));
  EXPECT_THAT(
      [] {
        make<Positional>("alibi", {{"parts", "heads"}})->fit({1, 2, 8});
      },
      ::testing::ThrowsMessage<UserError>(::testing::HasSubstr("three or more")));
}

// The heads of a rank, and the last queries with a cache, are the same rows of the full bias.
TEST(Alibi, PartsOnAShardAndWithACache) {
  for (const auto* parts : {"positions", "distances", "heads"}) {
    const auto alibi = make<Positional>("alibi", {{"parts", parts}});
    const auto of = [&](const AttentionContext& context) { return alibi->attention_bias(context).dense(context); };
    const auto whole = of(of_parts(4, 0, 4));
    EXPECT_TRUE(of(of_parts(4, 2, 2)).equal(whole.narrow(1, 2, 2))) << parts;
    EXPECT_TRUE(of(of_parts(4, 0, 4, 7)).equal(whole.narrow(2, 7, 2))) << parts;
    auto plain = of_parts(4, 0, 4);
    plain.query_segments = plain.key_segments = Tensor();
    EXPECT_TRUE(alibi->attention_bias(plain).slopes_H.defined());
    EXPECT_FALSE(alibi->attention_bias(plain).dense_BHQS.defined());
  }
}

TEST(Alibi, HasNoLimitAndNoEmbeddings) {
  const auto alibi = make<Positional>("alibi");
  const auto x = at::arange(8, at::kFloat).view({1, 4, 2});
  EXPECT_FALSE(alibi->limit());
  EXPECT_TRUE(alibi->embed(x, at::arange(4, at::kLong).unsqueeze(0)).is_same(x));
}

}  // namespace
}  // namespace assay::testing
