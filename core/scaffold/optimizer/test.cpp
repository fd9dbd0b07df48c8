#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "assay/optimizer.h"
#include "assay/testing.h"

namespace assay::testing {
namespace {

TEST(ScaffoldName, HasMomentum) {
  on_ranks(1, [](const Mesh& mesh) {
    const auto optimizer = make<Optimizer>("scaffold_name", R"({"momentum": 0.5})");
    std::vector<Parameter> parameters{{{.name = "x", .shape = {1}}, at::ones({1}, at::kDouble).requires_grad_(true)}};
    optimizer->attach(parameters, mesh);
    parameters[0].value.mutable_grad() = at::full({1}, 2.0, at::kDouble);
    const c10::NoGradGuard no_grad;
    optimizer->step(0.1, 1);
    EXPECT_NEAR(parameters[0].value.item<double>(), 1 - 0.1 * 2, 1e-15);
    optimizer->step(0.1, 1);
    EXPECT_NEAR(parameters[0].value.item<double>(), 1 - 0.1 * 2 - 0.1 * 3, 1e-15);
  });
}

TEST(ScaffoldName, KeepsWhatItsKindPromises) {
  EXPECT_EQ(assay::testing::faults("optimizer", "scaffold_name"), std::vector<std::string>());
}

}  // namespace
}  // namespace assay::testing
