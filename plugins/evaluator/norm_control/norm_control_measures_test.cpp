// Text overlap as nltk and rouge-score compute it, and intervals of shares.
#include <gtest/gtest.h>

#include <cmath>

#include "../shares.h"
#include "../text_overlap.h"
#include "../text_overlap_vectors.h"

namespace assay::testing {
namespace {

TEST(TextOverlap, IsThatOfTheLibraries) {
  ASSERT_GE(overlap::kOverlapVectors.size(), 24u);
  for (const auto& vector : overlap::kOverlapVectors) {
    std::vector<std::vector<std::string>> references;
    for (const auto& reference : vector.references) references.push_back(overlap::lower_words(reference));
    const std::string hypothesis(vector.hypothesis);
    EXPECT_NEAR(overlap::bleu4(references, overlap::lower_words(hypothesis)), vector.bleu, 1e-12) << hypothesis;
    const auto rouge = overlap::rouge_l(vector.references.front(), hypothesis);
    EXPECT_NEAR(rouge.precision, vector.precision, 1e-12) << hypothesis;
    EXPECT_NEAR(rouge.recall, vector.recall, 1e-12) << hypothesis;
    EXPECT_NEAR(rouge.f, vector.f, 1e-12) << hypothesis;
  }
  const auto same = overlap::lower_words("It is good to share");
  EXPECT_DOUBLE_EQ(overlap::bleu4({same}, same), 1);
}

// Values of the formula in Python; the first is the example that textbooks give, 0.490 to 0.943.
TEST(Shares, Wilson) {
  const auto interval = [](double hits, double all) { return evaluation::wilson({hits, all}); };
  EXPECT_NEAR(interval(8, 10).low, 0.490162471537, 1e-11);
  EXPECT_NEAR(interval(8, 10).high, 0.943317848546, 1e-11);
  EXPECT_EQ(interval(0, 20).low, 0);
  EXPECT_EQ(interval(0, 100).low, 0);
  EXPECT_NEAR(interval(0, 20).high, 0.161125158053, 1e-11);
  EXPECT_NEAR(interval(50, 50).low, 0.928652400867, 1e-11);
  EXPECT_EQ(interval(50, 50).high, 1);
  EXPECT_EQ(interval(0, 0).high, 1);
}

// The normal approximation of many groups: p +- 1.96 sqrt(p (1 - p) / groups), however many equal items a group has.
TEST(Shares, BootstrapOverGroups) {
  for (const double items : {1, 7}) {
    std::vector<evaluation::Share> groups;
    for (int i = 0; i < 400; ++i) groups.push_back({i % 10 < 3 ? items : 0, items});
    const auto interval = evaluation::bootstrap(groups, Draws(1, "bootstrap"));
    const double half = 1.96 * std::sqrt(0.3 * 0.7 / 400);
    EXPECT_NEAR(interval.low, 0.3 - half, 0.1 * half) << items;
    EXPECT_NEAR(interval.high, 0.3 + half, 0.1 * half) << items;
  }
  // Without spread among the samples it is Wilson's, of groups and not of items.
  EXPECT_NEAR(evaluation::bootstrap(std::vector<evaluation::Share>(20, {0, 5}), Draws(1, "b")).high, 0.161125158053,
              1e-11);
  EXPECT_EQ(evaluation::bootstrap({}, Draws(1, "b")).high, 1);
}

}  // namespace
}  // namespace assay::testing
