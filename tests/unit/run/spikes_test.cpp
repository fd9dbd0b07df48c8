// Updates that are skipped as spikes, against z-scores computed here; and a run with spikes.
#include "run/spikes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "run/run.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

// A guard whose window holds 128 values that alternate between 1 and 3: mean 2, standard deviation 1.
run::SpikeGuard full(double loss_z, double norm_z) {
  run::SpikeGuard guard(loss_z, norm_z);
  for (int i = 0; i < 128; ++i) EXPECT_EQ(guard.fault(i % 2 == 0 ? 1 : 3, i % 2 == 0 ? 10 : 30), "");
  return guard;
}

TEST(Spikes, AreScoredAgainstTheStepsBefore) {
  EXPECT_EQ(full(4, 0).fault(5.99, 1e9), "");
  EXPECT_NE(full(4, 0).fault(6.01, 20), "");
  EXPECT_EQ(full(4, 0).fault(-100, 20), "");  // far below is not a spike
  EXPECT_EQ(full(0, 4).fault(1e9, 59.9), "");
  const auto text = full(0, 4).fault(2, 60.1);
  EXPECT_NE(text.find("gradient norm 60.1"), std::string::npos) << text;
  EXPECT_NE(text.find("4.01"), std::string::npos) << text;
  EXPECT_EQ(full(0, 0).fault(1e9, 1e9), "");
}

TEST(Spikes, NothingIsASpikeBeforeTheWindowIsFull) {
  run::SpikeGuard guard(1, 1);
  for (int i = 0; i < 127; ++i) EXPECT_EQ(guard.fault(i % 2, i % 2), "");
  EXPECT_EQ(guard.fault(1000, 1000), "");
  EXPECT_NE(guard.fault(100000, 0), "");
}

// The value joins the window, so a lasting level soon is not a spike any more.
TEST(Spikes, ALastingChangeIsAccepted) {
  auto guard = full(6, 0);
  int left_out = 0;
  for (int i = 0; i < 128; ++i) left_out += !guard.fault(i % 2 == 0 ? 20 : 21, 1).empty();
  EXPECT_GT(left_out, 0);
  EXPECT_LT(left_out, 10);
  EXPECT_EQ(guard.recent.losses.size(), run::SpikeGuard::kWindow);
}

// Where all values are equal, the deviation is zero.
TEST(Spikes, AConstantWindowHasNoSpikes) {
  run::SpikeGuard guard(1, 0);
  for (int i = 0; i < 128; ++i) guard.fault(2, 0);
  EXPECT_EQ(guard.fault(3, 0), "");
}

class Skips final : public run::Observer {
 public:
  void event(const std::string& type, const json& fields) override {
    if (type == "skip") steps.push_back(fields.at("step"));
  }
  std::vector<int64_t> steps;
};

// With a threshold of one standard deviation, some of 22 steps are above it. They change no weight, and are the same on
// every mesh.
TEST(Spikes, ARunSkipsThem) {
  TinyRun tiny;
  tiny.line["train"]["train"].merge_patch({{"steps", 150}, {"skip_loss_z", 1.0}, {"skip_norm_z", 1.0}});
  tiny.line["train"]["optimizer"]["lr"] = 1e-6;  // losses depend on their batches alone
  const auto run = [&] {
    Skips skips;
    const auto report = run::execute(registry(), tiny.planned(),
                                     {.run = tiny.folder.path(), .contexts = tiny.folder.path() / "contexts"}, skips);
    EXPECT_EQ(report.skipped, static_cast<int64_t>(skips.steps.size()));
    return skips.steps;
  };
  const auto one = run();
  EXPECT_FALSE(one.empty());
  for (const auto step : one) EXPECT_GT(step, 128);
  tiny.mesh(2, 2);
  tiny.line["resources"]["micro_batch"] = 3;
  EXPECT_EQ(run(), one);
}

}  // namespace
}  // namespace assay::testing
