// The ratios of table A4 of arXiv:2203.15556, and terms worked out by hand.
#include "scaling/flops.h"

#include <gtest/gtest.h>

#include <map>

#include "assay/error.h"

namespace assay::scaling {
namespace {

const DecoderShape kSmallest{
    .layers = 10, .width = 640, .ffw = 2560, .heads = 10, .head_width = 64, .vocabulary = 32000};
const DecoderShape kSecond{
    .layers = 20, .width = 1024, .ffw = 4096, .heads = 16, .head_width = 64, .vocabulary = 32000};

TEST(ScalingFlops, TheTwoSmallestModelsOfThePaper) {
  EXPECT_EQ(parameters_of(kSmallest), 73'728'000);
  EXPECT_EQ(flops_per_sequence(kSmallest, 2048, FlopConvention::kLayersOnly), 929'877'196'800);
  EXPECT_EQ(flops_per_sequence(kSmallest, 2048, FlopConvention::kAppFLiteral), 1'433'193'676'800);
  EXPECT_EQ(parameters_of(kSecond), 305'397'760);
  EXPECT_EQ(flops_per_sequence(kSecond, 2048, FlopConvention::kLayersOnly), 4'135'248'199'680);
  EXPECT_EQ(flops_per_sequence(kSecond, 2048, FlopConvention::kAppFLiteral), 4'940'554'567'680);
  EXPECT_EQ(flops_per_sequence(kSecond, 2048, FlopConvention::kSixNd), 6.0 * 305'397'760 * 2048);
}

TEST(ScalingFlops, TermsAddUpToTheLiteralConvention) {
  double sum = 0;
  std::map<std::string, double> terms;
  for (const auto& [name, flops] : flop_terms(kSmallest, 2048)) {
    sum += flops;
    terms[name] = flops;
  }
  EXPECT_EQ(sum, flops_per_sequence(kSmallest, 2048, FlopConvention::kAppFLiteral));
  EXPECT_EQ(terms.at("softmax"), 3.0 * 10 * 3 * 10 * 2048 * 2048);
  EXPECT_EQ(terms.at("embeddings"), 3.0 * 2 * 2048 * 32000 * 640);
  EXPECT_EQ(terms.at("feed-forward"), 3.0 * 10 * 4 * 2048 * 640 * 2560);
}

TEST(ScalingFlops, AnUnknownConventionIsNamed) {
  EXPECT_EQ(flop_convention("layers_only"), FlopConvention::kLayersOnly);
  EXPECT_THROW(flop_convention("6ND"), UserError);
}

}  // namespace
}  // namespace assay::scaling
