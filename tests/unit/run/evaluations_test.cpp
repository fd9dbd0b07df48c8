// How often the ranks synchronise stop requests in an evaluation, and how often progress is shown.
#include "run/evaluations.h"

#include <gtest/gtest.h>

#include <atomic>

#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

struct Shown final : run::Observer {
  void event(const std::string&, const json&) override {}
  void evaluating(const json&) override { ++times; }
  int64_t times = 0;
};

// Decodes 40 tokens by 40 forward passes: the ranks synchronise at the start, before the prompts, and then before every
// eighth pass.
TEST(Evaluations, SynchroniseRarelyWhileDecoding) {
  TinyRun tiny;
  tiny.mesh(2, 2);
  tiny.line["evaluate"] = {{{"id", "e"},
                            {"label", "text"},
                            {"every", 0},
                            {"split", "validation"},
                            {"config", {{"use", "generation"}, {"prompts", 3}, {"prompt_tokens", 4}, {"tokens", 40}}}}};
  std::atomic<int64_t> asked = 0;
  Shown shown;
  double seconds = 0;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    run::Attempt attempt{.run = tiny.folder.path(), .contexts = tiny.folder / "contexts"};
    attempt.stop_requested = [&] { return ++asked, false; };
    run::Evaluations evaluations(run, mesh, attempt, shown, [](const std::string&, const json&) {});
    run::Phases phases;
    std::vector<run::EvaluationReport> reports;
    EXPECT_TRUE(evaluations.at_end(phases, reports));
    if (mesh.first()) seconds = phases.evaluation;
  });
  const int64_t expected = 1 + 1 + 4;  // forwards 8, 16, 24 and 32 after the one that reads the prompts
  EXPECT_EQ(asked, 4 * expected);
  EXPECT_LE(shown.times, 1 + static_cast<int64_t>(seconds));
  EXPECT_GE(shown.times, 1);
}

}  // namespace
}  // namespace assay::testing
