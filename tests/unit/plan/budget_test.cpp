#include "plan/budget.h"

#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using Budget = PlanTest;

std::string with_budget(const std::string& budget) {
  auto text = kSmall;
  text.replace(text.find("steps = 7"), 9, budget);
  return text;
}

int64_t steps(const plan::Plan& plan) { return plan.lines.at(0).train.train.steps; }

// By hand: one step is 8 x 16 = 128 tokens, and the fixture's model has 1,000 parameters.
TEST_F(Budget, EveryKindBecomesWholeSteps) {
  EXPECT_EQ(steps(plan(with_budget("tokens = 1300"))), 10);               // 10.2
  EXPECT_EQ(steps(plan(with_budget("flops = 7.7e6"))), 10);               // 7.7e6 / 6,000 / 128 = 10.03
  EXPECT_EQ(steps(plan(with_budget("flops = 7.6e6"))), 9);                // 9.9
  EXPECT_EQ(steps(plan(with_budget("tokens_per_parameter = 20"))), 156);  // 20,000 / 128 = 156.25
  EXPECT_EQ(steps(plan(with_budget("tokens_per_parameter = 0.2"))), 1);   // 1.56; less than one is refused
  EXPECT_EQ(steps(plan(with_budget("steps = 0"))), 0);                    // evaluates only
}

TEST_F(Budget, ThePlanReportsTheRequestedBudget) {
  EXPECT_EQ(plan(kSmall).lines[0].budget.to_json(), json::parse(R"({"kind":"steps","target":7})"));
  EXPECT_EQ(plan(with_budget("tokens = 1300")).lines[0].budget.to_json(),
            json::parse(R"({"kind":"tokens","target":1300})"));
  EXPECT_EQ(plan(with_budget("flops = 7.7e6")).lines[0].budget.to_json(),
            json::parse(R"({"kind":"flops","target":7700000.0})"));
}

// The target is not part of a run's identity: equal numbers of steps are one run.
TEST_F(Budget, EqualStepsAreOneRun) {
  const auto id = [&](const std::string& budget) { return plan(with_budget(budget)).lines[0].train_id; };
  EXPECT_EQ(id("steps = 10"), id("tokens = 1300"));
  EXPECT_EQ(id("steps = 10"), id("flops = 7.7e6"));
  EXPECT_NE(id("steps = 10"), id("flops = 7.6e6"));
}

TEST_F(Budget, CanBeSwept) {
  const auto made = plan(with_budget("tokens = 1300") +
                         "[[sweep]]\n[sweep.grid]\ntrain.tokens_per_parameter = [0.2, 1, 20, 20.001]\n");
  EXPECT_EQ(made.combinations, 4u);
  EXPECT_EQ(made.distinct, 3u);  // 20.001 is the same number of steps as 20
  EXPECT_EQ(made.lines[1].train.train.steps, 7);
  EXPECT_EQ(made.lines[1].budget.target, 1.0);
}

// Durations are relative to the run, so they follow the number of steps of the budget.
TEST_F(Budget, DurationsFollow) {
  const auto made = plan(with_budget("flops = 7.7e6") + "[[evaluate]]\nuse = 'lm'\nevery = '50%'\n");
  EXPECT_EQ(made.lines[0].evaluate[0].every, 5);
}

}  // namespace
}  // namespace assay::testing
