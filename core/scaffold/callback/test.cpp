#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "assay/callback.h"
#include "assay/testing.h"

namespace assay::testing {
namespace {

TEST(ScaffoldName, ClipsElements) {
  const auto callback = make<Callback>("scaffold_name", R"({"largest": 0.5})");
  std::vector<Parameter> parameters{{{.name = "x", .shape = {3}}, at::ones({3}, at::kDouble).requires_grad_(true)}};
  parameters[0].value.mutable_grad() = at::tensor({-2.0, 0.25, 0.75}, at::kDouble);
  callback->after_backward({0, parameters});
  EXPECT_EQ(values_of(parameters[0].value.grad()), (std::vector<double>{-0.5, 0.25, 0.5}));
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("callback", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
}  // namespace assay::testing
