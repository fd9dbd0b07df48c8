// The cause that is named when a loss or a gradient is not finite, on one rank and on two of which only one sees it.
#include "run/non_finite.h"

#include <gtest/gtest.h>

#include <limits>

#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

class NonFiniteSearch : public ::testing::TestWithParam<int> {
 protected:
  // Returns the reported cause after `spoil` has changed a parameter: its last shard, or all replicas.
  std::string found(const std::string& parameter, const std::function<void(Tensor)>& spoil) {
    TinyRun tiny;
    tiny.mesh(GetParam(), 1);
    std::string sentence;
    std::mutex mutex;
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
      const bool last = mesh.tensor().rank() == mesh.tensor().size() - 1;
      for (auto& [spec, value] : run.parameters->all())
        if (spec.name == parameter && (last || spec.shard_dim < 0)) spoil(value);
      const auto mine = run::first_non_finite(run, mesh, 0, {data.rows(0, 6, 0)});
      const std::lock_guard lock(mutex);
      EXPECT_TRUE(sentence.empty() || mine == sentence) << "ranks differ: " << mine;
      sentence = mine;
    });
    return sentence;
  }
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST_P(NonFiniteSearch, NamesAParameterThatWasAlreadyNonFinite) {
  EXPECT_EQ(found("model.layers.1.up.weight", [](Tensor value) { value.detach().view(-1)[3].fill_(kInfinity); }),
            "parameter 'model.layers.1.up.weight' contained NaN or infinity before this step");
}

TEST_P(NonFiniteSearch, NamesOnlyTheFirstLayer) {
  EXPECT_EQ(found("model.layers.1.up.weight", [](Tensor value) { value.detach().fill_(1e308); }),
            "the first part whose output contains NaN or infinity is 'model.layers.1.up'");
  EXPECT_EQ(found("model.layers.0.attention.qkv.weight", [](Tensor value) { value.detach().fill_(1e200); }),
            "the first part whose output contains NaN or infinity is 'model.layers.0.attention (softmax)'");
}

TEST_P(NonFiniteSearch, NamesANorm) {
  EXPECT_EQ(found("model.final_norm.weight", [](Tensor value) { value.detach().fill_(1.7e308); }),
            "the first part whose output contains NaN or infinity is 'model.final_norm'");
}

TEST_P(NonFiniteSearch, NamesTheGradientNearestToTheLoss) {
  const auto spoil = [](Tensor value) {
    value.register_hook([](const Tensor& gradient) { return gradient * kInfinity; });
  };
  EXPECT_EQ(found("model.layers.0.down.weight", spoil),
            "every output is finite; of the gradients with NaN or infinity, that of 'model.layers.0.down.weight' is "
            "nearest to "
            "the loss");
}

TEST_P(NonFiniteSearch, ReportsWhenAllIsFinite) {
  EXPECT_NE(found("", [](Tensor) {}).find("every output and gradient is finite"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(TensorRanks, NonFiniteSearch, ::testing::Values(1, 2));

}  // namespace
}  // namespace assay::testing
