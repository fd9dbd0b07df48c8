// The device of a run: what is refused and when, that no tensor stays on the CPU, that bf16 is used in the forward pass
// alone; and, with a GPU, the same run there.
#include "run/device.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>

#include "device/device.h"
#include "run/forward.h"
#include "run/run.h"
#include "run/step.h"
#include "run/validate.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

record::PlanLine asking(const std::string& device, const std::string& precision, int tensor = 1) {
  TinyRun tiny;
  tiny.mesh(tensor, 1);
  tiny.line["resources"]["device"] = device;
  tiny.line["train"]["train"]["precision"] = precision;
  return tiny.planned();
}

TEST(Device, AutoSelectsWhatTheMachineHas) {
  const auto compute = run::resolve_compute(asking("auto", "fp32"));
  EXPECT_EQ(compute.device, kernels::device::available() ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU));
  EXPECT_FALSE(compute.bf16);
  EXPECT_EQ(run::resolve_compute(asking("cpu", "fp64")).device, at::Device(at::kCPU));
}

TEST(Device, UnavailableDevicesAreRefusedBeforeTheRun) {
  for (const char* precision : {"bf16", "tf32"})
    EXPECT_THAT([&] { run::resolve_compute(asking("cpu", precision)); },
                ThrowsMessage<UserError>(HasSubstr("train.precision: '" + std::string(precision) +
                                                   "' needs a GPU, but this run uses the CPU; use fp32 or fp64")));
  EXPECT_THAT([] { run::resolve_compute(asking("cuda:77", "fp32")); },
              ThrowsMessage<UserError>(
                  AllOf(HasSubstr("resources.device: 'cuda:77'"), HasSubstr("or set resources.device = \"cpu\""))));
  const auto path_of = [](const record::PlanLine& line) { return run::refusal(line).value_or(run::Refusal{}).path; };
  EXPECT_EQ(path_of(asking("cpu", "bf16")), "train.precision");
  EXPECT_EQ(path_of(asking("cuda", "fp32", 2)), "resources.device");
  EXPECT_EQ(path_of(asking("auto", "fp32", 2)), "");
  EXPECT_EQ(run::validate(registry(), asking("cpu", "bf16"))[0]["path"], "train.precision");
  if (kernels::device::built()) GTEST_SKIP() << "the rest is about builds without CUDA";
  EXPECT_EQ(path_of(asking("auto", "bf16")), "train.precision");
  EXPECT_THAT(run::refusal(asking("cuda", "fp32")).value_or(run::Refusal{}).message,
              "'cuda' needs a CUDA build, but this build supports only the CPU; configure with -DASSAY_CUDA=ON, or set "
              "resources.device = \"cpu\"");
}

TEST(Device, EveryTensorOfABatchMoves) {
  Batch batch;
  const auto ids = at::zeros({2, 3}, at::kLong);
  Tensor* const all[] = {&batch.tokens,        &batch.targets,  &batch.loss_weight,    &batch.positions,
                         &batch.segment,       &batch.key_mask, &batch.row_id,         &batch.sample_id,
                         &batch.source_length, &batch.spans,    &batch.channels["own"]};
  for (auto* tensor : all) *tensor = ids;
  auto there = run::to_device(batch, at::kMeta);
  Tensor* const theirs[] = {&there.tokens,        &there.targets,  &there.loss_weight,    &there.positions,
                            &there.segment,       &there.key_mask, &there.row_id,         &there.sample_id,
                            &there.source_length, &there.spans,    &there.channels["own"]};
  for (auto* tensor : theirs) EXPECT_TRUE(tensor->is_meta());
  EXPECT_TRUE(batch.tokens.is_cpu());
  EXPECT_FALSE(run::to_device(Batch(), at::kMeta).targets.defined());
}

// LibTorch's meta device refuses to mix with the CPU, like a GPU: tensors that a scheme creates on the CPU make it
// throw. (It does not support layer norm, embedding look-up and masks, so this is not the whole model.)
class OnMeta : public ::testing::TestWithParam<const char*> {};
TEST_P(OnMeta, ASchemeCreatesNothingOnTheCpu) {
  const auto options = at::TensorOptions().dtype(at::kFloat).device(at::kMeta);
  auto scheme = make<Positional>(GetParam());
  scheme->fit({1, 4, 16});
  AttentionContext context;
  context.heads = context.heads_total = 4;
  context.query_positions = context.key_positions = at::zeros({2, 5}, options.dtype(at::kLong));
  EXPECT_TRUE(scheme->embed(at::zeros({2, 5, 16}, options), context.query_positions).is_meta());
  const auto q_BHQK = at::zeros({2, 4, 5, 4}, options);
  const auto [q, k] = scheme->rotate(q_BHQK, q_BHQK, context);
  EXPECT_TRUE(q.is_meta() && k.is_meta());
  const auto bias = scheme->attention_bias(context).dense(context);
  EXPECT_TRUE(!bias.defined() || bias.is_meta());
}
INSTANTIATE_TEST_SUITE_P(Schemes, OnMeta, ::testing::Values("alibi", "none", "rotary", "sinusoidal"));

// The autocast guard is the same for every device, so it can be tested on the CPU, although a run cannot use bf16
// there.
TEST(Bf16, IsOnInTheForwardAlone) {
  {
    const run::ForwardPrecision off{run::Compute{}};
    EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
    const run::ForwardPrecision on({at::kCPU, true});
    EXPECT_TRUE(at::autocast::is_autocast_enabled(at::kCPU));
    EXPECT_EQ(at::autocast::get_autocast_dtype(at::kCPU), at::kBFloat16);
    EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCUDA));
  }
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  const run::ForwardPrecision gpu({at::kCUDA, true});
  EXPECT_EQ(at::autocast::get_autocast_dtype(at::kCUDA), at::kBFloat16);
}

// Returns the mean loss of 4 steps on the same 6 rows.
std::vector<double> losses_of(const TinyRun& tiny, const run::Compute& compute) {
  std::vector<double> losses;
  run::Assembled run(registry(), tiny.planned());
  run.compute = compute;
  const auto mesh = mesh::self_mesh();
  run.build(*mesh);
  const data::DataSpec spec{run.dataset, run.vocabulary.get(), run.transforms, run.context, run.data_seed,
                            "tiny",      tiny.folder.path()};
  data::TrainingData data(spec);
  for (int64_t step = 0; step < 4; ++step) {
    run::Metrics metrics;
    losses.push_back(
        run::accumulate_gradients(run, *mesh, step, {data.rows(0, 3, 0), data.rows(3, 6, 3)}, metrics).value());
    for (const auto& parameter : run.parameters->all()) {
      EXPECT_EQ(parameter.value.scalar_type(), at::kFloat);
      EXPECT_EQ(parameter.value.grad().scalar_type(), at::kFloat);
      EXPECT_EQ(parameter.value.grad().device(), compute.device);
    }
    run.optimizer->step(1e-2, 1.0);
    run::clear_gradients(run.parameters->all());
  }
  return losses;
}

class Bf16Schemes : public ::testing::TestWithParam<const char*> {
 protected:
  Bf16Schemes() {
    tiny_.model()["positional"] = {{"use", GetParam()}};
    tiny_.line["train"]["train"]["precision"] = "fp32";
  }
  // Losses are near those of fp32 (bf16 has 8 bits), not equal to them, and decrease.
  void check(at::Device device) const {
    const auto exact = losses_of(tiny_, {device, false}), rough = losses_of(tiny_, {device, true});
    for (size_t i = 0; i < exact.size(); ++i) {
      EXPECT_NEAR(rough[i], exact[i], 0.01 * exact[i]) << "step " << i;
      EXPECT_NE(rough[i], exact[i]) << "step " << i;
    }
    EXPECT_LT(rough.back(), rough.front() - 0.3);
  }
  TinyRun tiny_;
};
TEST_P(Bf16Schemes, StayNearFp32AndLearn) { check(at::kCPU); }
TEST_P(Bf16Schemes, StayNearFp32AndLearnOnTheGpu) {
  if (!kernels::device::available()) GTEST_SKIP() << "no GPU at hand";
  check(at::Device(at::kCUDA, 0));
}
INSTANTIATE_TEST_SUITE_P(Schemes, Bf16Schemes, ::testing::Values("alibi", "rotary"));

TEST(Gpu, TrainsLikeTheCpuAndRepeatsBitForBit) {
  if (!kernels::device::available()) GTEST_SKIP() << "no GPU at hand";
  TinyRun tiny;
  tiny.line["train"]["train"].merge_patch({{"precision", "fp32"}, {"steps", 20}});
  tiny.line["evaluate"] = {{{"id", "e"},
                            {"label", "lm"},
                            {"every", 0},
                            {"split", "validation"},
                            {"config", {{"use", "lm"}, {"lengths", {16, 40}}}}}};
  const auto run_on = [&](const std::string& device) {
    tiny.line["resources"]["device"] = device;
    Losses losses;
    const auto report = run::execute(registry(), tiny.planned(),
                                     {.run = tiny.folder.path(), .contexts = tiny.folder.path() / "c"}, losses);
    EXPECT_EQ(report.gpu.empty(), device == "cpu");
    for (const auto& metric : report.evaluations.at(0).metrics) losses.values.push_back(metric.value);
    return losses.values;
  };
  const auto cpu = run_on("cpu"), gpu = run_on("cuda"), again = run_on("cuda");
  EXPECT_EQ(gpu, again);
  ASSERT_EQ(gpu.size(), cpu.size());
  for (size_t i = 0; i < cpu.size(); ++i) EXPECT_NEAR(gpu[i], cpu[i], 1e-4 * cpu[i]) << i;
}

}  // namespace
}  // namespace assay::testing
