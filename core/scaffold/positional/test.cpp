#include <ATen/ops/arange.h>
#include <gtest/gtest.h>

#include "assay/positional.h"
#include "assay/testing.h"

namespace assay::testing {
namespace {

TEST(ScaffoldName, ScoresFallWithDistance) {
  on_ranks(1, [](const Mesh& mesh) {
    const auto scheme = make<Positional>("scaffold_name", R"({"slope": 0.5})");
    scheme->fit({.layers = 1, .heads = 2, .width = 8});
    const Built built(*scheme, mesh);
    AttentionContext context;
    context.heads = context.heads_total = 2;
    context.query_positions = context.key_positions = at::arange(4, at::kLong).unsqueeze(0);
    context.score_type = at::kDouble;
    const auto bias_1HQS = scheme->attention_bias(context).dense(context);
    EXPECT_DOUBLE_EQ(bias_1HQS[0][1][3][1].item<double>(), -0.5 * 2);
  });
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("positional", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
}  // namespace assay::testing
