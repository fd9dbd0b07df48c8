// The criterion of a mesh's tolerance, and that the tiny run is within the documented tolerances.
#include "run/verify_mesh.h"

#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "run/replicas.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

Tensor numbers(std::vector<double> values) { return at::tensor(values, at::kDouble); }

// RMS of all eight values: sqrt((4 * 9 + 4 * 1e-8) / 8) = 2.1213...
TEST(VerifyMesh, TheCriterion) {
  const std::vector<run::NamedTensor> expected{{"large", numbers({3, -3, 3, 3})},
                                               {"small", numbers({1e-4, 1e-4, -1e-4, 1e-4})}};
  auto found = expected;
  found[1].value = numbers({1e-4, 2e-4, -1e-4, 1e-4});
  const double rms = std::sqrt((4 * 9 + 4 * 1e-8) / 8);
  EXPECT_NEAR(run::difference(found, expected), 1e-4 / rms,
              1e-12);  // relative to the RMS, which is above the small tensor's maximum
  found[0].value = numbers({3, -3, 3, 3.3});
  EXPECT_NEAR(run::difference(found, expected), 0.3 / 3, 1e-12);
  EXPECT_EQ(run::difference(expected, expected), 0);
  found[0].value = numbers({3, NAN, 3, 3});
  EXPECT_TRUE(std::isnan(run::difference(found, expected)));
}

TEST(VerifyMesh, MeshesAreWithinTheDocumentedTolerances) {
  TinyRun tiny;
  const std::vector<record::MeshConfig> meshes{
      {.tensor = 2}, {.tensor = 4, .sequence_parallel = true}, {.data = 2}, {.tensor = 2, .data = 2}, {.tensor = 3}};
  for (const auto& [precision, tolerance] : {std::pair{"fp64", 1e-11}, {"fp32", 1e-5}}) {
    tiny.line["train"]["train"]["precision"] = precision;
    const auto found =
        run::verify_meshes(registry(), tiny.planned(), meshes, {1, 3}, "library", tiny.folder / "contexts");
    ASSERT_EQ(found.size(), meshes.size());
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(found[i].refused, "");
      ASSERT_EQ(found[i].steps.size(), 2u);
      EXPECT_EQ(found[i].steps[1].step, 3);
      EXPECT_LE(found[i].steps[0].loss, tolerance);
      EXPECT_LE(found[i].steps[0].gradients, tolerance) << precision << " " << meshes[i].to_json();
      EXPECT_GT(found[i].steps[0].gradients, 0) << "another order of sums gives other bits";
      EXPECT_LE(found[i].steps[1].loss, 10 * tolerance);
      EXPECT_LE(found[i].steps[1].gradients, 100 * tolerance);  // after two updates with different weights
      EXPECT_GT(found[i].steps[1].weights, 0);
    }
    EXPECT_NE(found[4].refused.find("3"), std::string::npos);
  }
}

// One bit differs on one rank, and the error names the parameter; sharded ones are compared over replicas alone.
TEST(Replicas, ADifferenceNamesTheParameter) {
  TinyRun tiny;
  tiny.mesh(2, 2);
  const auto difference = [&](const std::string& name, bool on_one_replica) {
    std::string text;
    try {
      tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
        auto& parameters = run.parameters->all();
        run::compare_replicas(parameters, mesh);
        for (auto& [spec, value] : parameters) {
          const bool here = mesh.tensor().rank() == 1 && (!on_one_replica || mesh.data().rank() == 0);
          auto element = value.detach().view(-1)[2];
          if (spec.name == name && here) element.fill_(std::nextafter(element.item<double>(), 1e9));
        }
        run::compare_replicas(parameters, mesh);
      });
    } catch (const run::ReplicasDiffer& error) {
      text = error.what();
    }
    return text;
  };
  const auto replicated = difference("model.layers.1.ffn_norm.bias", false),
             sharded = difference("model.layers.0.up.weight", true);
  EXPECT_NE(replicated.find("'model.layers.1.ffn_norm.bias' differs between the 2 ranks of the tensor axis"),
            std::string::npos)
      << replicated;
  EXPECT_NE(sharded.find("'model.layers.0.up.weight' differs between the 2 ranks of the data axis"), std::string::npos)
      << sharded;
  EXPECT_EQ(difference("model.layers.0.up.weight", false), "");  // equal on both replicas
}

}  // namespace
}  // namespace assay::testing
