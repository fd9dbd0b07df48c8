#include "sweep/sweep.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using Sweep = PlanTest;

std::vector<std::string> labels(const plan::Plan& plan) {
  std::vector<std::string> all;
  for (const auto& line : plan.lines) all.push_back(line.label);
  return all;
}

TEST_F(Sweep, AxesMultiplyAndTheLastOneVariesFastest) {
  const auto made = plan(kSmall +
                         "[[sweep]]\n[sweep.grid]\npositional = ['sinusoidal', { label = 'steep', use = 'alibi', "
                         "max_exponent = 4 }]\nmodel.layers = [1, 2]\n");
  EXPECT_EQ(labels(made),
            (std::vector<std::string>{"positional=sinusoidal model.layers=1", "positional=sinusoidal model.layers=2",
                                      "positional=steep model.layers=1", "positional=steep model.layers=2"}));
  EXPECT_EQ(made.lines[2].axes, (json{{"positional", "steep"}, {"model.layers", 1}}));
  EXPECT_EQ(made.lines[2].train.model.at("positional"), (json{{"use", "alibi"}, {"max_exponent", 4.0}}));
  EXPECT_EQ(made.lines[1].train.model.at("layers"), 2);
}

TEST_F(Sweep, SeedsAreTheInnermost) {
  const auto made = plan(kSmall + "[[sweep]]\n[sweep.grid]\nmodel.layers = [1, 2]\n[experiment]\nseeds = '3..4'\n");
  ASSERT_EQ(made.lines.size(), 4u);
  EXPECT_EQ(made.lines[1].seed, 4);
  EXPECT_EQ(made.lines[1].axes.at("model.layers"), 1);
  EXPECT_EQ(made.lines[2].seed, 3);
}

TEST_F(Sweep, BlocksConcatenateAndEqualRunsCollapse) {
  const auto made = plan(kSmall +
                         "[[sweep]]\n[sweep.grid]\nmodel.layers = [1, 2, 3]\n[[sweep]]\n[sweep.grid]\nmodel.layers = "
                         "[2, 3, 4]\nmodel.width = [32, 64]\n");
  EXPECT_EQ(made.combinations, 9u);  // 3 + 3 * 2
  EXPECT_EQ(made.distinct, 7u);      // (2, 32) and (3, 32) are already in the first block
}

TEST_F(Sweep, SwitchedOffEntriesCollapse) {
  const auto made = plan(kSmall +
                         "[[objective]]\nuse = 'simctg'\n[[sweep]]\n[sweep.grid]\nobjective.simctg.enabled = [false, "
                         "true]\nobjective.simctg.margin = [0.25, 0.5, 0.75, 1]\n");
  EXPECT_EQ(made.combinations, 8u);
  EXPECT_EQ(made.distinct, 5u);
  EXPECT_EQ(made.lines[0].axes, (json{{"objective.simctg.enabled", false}}));
  EXPECT_EQ(made.lines[0].train.objectives.size(), 1u);
  EXPECT_EQ(made.lines[4].train.objectives.at(1).config.at("margin"), 1.0);
}

TEST_F(Sweep, IntAndRealOfOneValueAreOneRun) {
  const auto made =
      plan(kSmall + "[[sweep]]\n[sweep.grid]\nmodel.dropout = [0]\n[[sweep]]\n[sweep.grid]\nmodel.dropout = [0.0]\n");
  EXPECT_EQ(made.distinct, 1u);
}

TEST_F(Sweep, Ranges) {
  const auto shown = [&](const std::string& range) {
    json values = json::array();
    for (const auto& line : plan(kSmall + "[[sweep]]\n[sweep.grid]\n" + range + "\n").lines)
      values.push_back(line.axes.begin().value());
    return values;
  };
  EXPECT_EQ(shown("model.layers = { linear = [2, 8], n = 4 }"), json({2, 4, 6, 8}));
  EXPECT_EQ(shown("model.layers = { log = [8, 64], n = 4 }"), json({8, 16, 32, 64}));
  EXPECT_EQ(shown("optimizer.lr = { values = [0.25, 0.5] }"), json({0.25, 0.5}));
  EXPECT_EQ(shown("model.dropout = { linear = [0, 0.5], n = 3 }"), json({0.0, 0.25, 0.5}));
  const auto rates = shown("optimizer.lr = { log = [1e-3, 1e-2], n = 3 }");
  EXPECT_EQ(rates[0], 1e-3);
  EXPECT_NEAR(rates[1].get<double>(), 0.0031622776601683794, 1e-17);
  EXPECT_EQ(rates[2], 1e-2);
}

TEST_F(Sweep, ComponentsComeBeforeTheirKeysInAnyOrderOfTheFile) {
  const auto made = plan(kSmall +
                         "[[sweep]]\n[sweep.grid]\nmodel.positional.max_exponent = [4, 16]\npositional = ['alibi', { "
                         "label = 'again', use = 'alibi', max_exponent = 2 }]\n");
  EXPECT_EQ(made.distinct, 2u);
  EXPECT_EQ(made.lines[1].train.model.at("positional").at("max_exponent"), 16.0);
}

TEST_F(Sweep, ExpressionsSeeTheSweptValue) {
  const auto made =
      plan(kSmall + "[[sweep]]\n[sweep.grid]\nmodel.width = [32, 64]\nmodel.heads = ['= model.width / 16']\n");
  EXPECT_EQ(made.lines[0].train.model.at("heads"), 2);
  EXPECT_EQ(made.lines[1].train.model.at("heads"), 4);
}

TEST_F(Sweep, SetCollapsesAnAxisAndResolvesLikeAnyValue) {
  const std::string text = kSmall +
                           "[[sweep]]\n[sweep.grid]\npositional = ['sinusoidal', 'alibi']\noptimizer.lr = [1e-3, "
                           "2e-3]\n[compare]\nbaseline = { positional = 'sinusoidal' }\n";
  const auto made = plan(text, {"positional=alibi", "model.heads== model.width / 8"});
  EXPECT_EQ(labels(made),
            (std::vector<std::string>{"positional=alibi optimizer.lr=0.001", "positional=alibi optimizer.lr=0.002"}));
  EXPECT_EQ(made.lines[0].train.model.at("heads"), 4);
  // alibi has no 'base': the error is at the origin of the value
  EXPECT_EQ(errors(text, {"model.positional.base=5"}),
            "--set model.positional.base=5: unknown key 'base' for positional 'alibi'; its keys are max_exponent");
}

TEST_F(Sweep, WithoutSweepOneRunNamedAfterTheExperiment) {
  const auto made = plan(kSmall);
  ASSERT_EQ(made.lines.size(), 1u);
  EXPECT_EQ(made.lines[0].label, "test");
  EXPECT_EQ(made.lines[0].axes, json::object());
}

TEST_F(Sweep, AWholeListOfObjectivesCanBeAnAxis) {
  const auto made = plan(kSmall + "[[sweep]]\n[sweep.grid]\nobjective = [['mle'], ['mle', 'simctg']]\n");
  EXPECT_EQ(made.lines[0].train.objectives.size(), 1u);
  EXPECT_EQ(made.lines[1].train.objectives.at(1).config.at("margin"), 0.5);
}

const std::string kBlock = kSmall + "[[sweep]]\n";

TEST_F(Sweep, ZippedListsAdvanceTogetherAndMultiplyWithTheGrid) {
  const auto made = plan(kBlock +
                         "[[sweep.zip]]\nmodel.layers = [1, 2, 3]\noptimizer.lr = { linear = [1e-3, 3e-3], n = 3 }\n"
                         "[sweep.grid]\npositional = ['alibi', 'sinusoidal']\n");
  EXPECT_EQ(labels(made), (std::vector<std::string>{
                              "model.layers=1 optimizer.lr=0.001 positional=alibi",
                              "model.layers=1 optimizer.lr=0.001 positional=sinusoidal",
                              "model.layers=2 optimizer.lr=0.002 positional=alibi",
                              "model.layers=2 optimizer.lr=0.002 positional=sinusoidal",
                              "model.layers=3 optimizer.lr=0.003 positional=alibi",
                              "model.layers=3 optimizer.lr=0.003 positional=sinusoidal",
                          }));
  EXPECT_EQ(made.axes, (std::vector<std::string>{"model.layers", "optimizer.lr", "positional"}));
}

TEST_F(Sweep, ALadderIsAFamilyOfSizesByBudgets) {
  const std::string sizes = "sizes = { model.layers = [1, 2, 3], model.width = [24, 48, 96] }\n";
  EXPECT_EQ(labels(plan(kBlock + "[sweep.ladder]\n" + sizes + "steps = [10, 20]\n")),
            labels(plan(kBlock + "[[sweep.zip]]\nmodel.layers = [1, 2, 3]\nmodel.width = [24, 48, "
                                 "96]\n[sweep.grid]\ntrain.steps = [10, 20]\n")));
}

TEST_F(Sweep, AListThatAdvancesWithOthersMayRepeatAValue) {
  EXPECT_EQ(plan(kBlock + "[[sweep.zip]]\nmodel.layers = [1, 1, 2]\nmodel.width = [24, 48, 48]\n").distinct, 3u);
}

TEST_F(Sweep, TwoZipsMultiply) {
  EXPECT_EQ(plan(kBlock + "[[sweep.zip]]\nmodel.layers = [1, 2]\n[[sweep.zip]]\nmodel.width = [32, 64, 96]\n").distinct,
            6u);
}

const std::string kCases =
    "[[sweep.case]]\nlabel = 'small'\nset = { model = { layers = 1, width = 32 } }\n"
    "[[sweep.case]]\nlabel = 'large'\nset = { model.layers = 3, positional = { use = 'alibi', max_exponent = 4 } }\n";

TEST_F(Sweep, CasesAreNamedAlternatives) {
  const auto made = plan(kBlock + "[sweep.grid]\noptimizer.lr = [1e-3, 2e-3]\n" + kCases);
  EXPECT_EQ(labels(made), (std::vector<std::string>{"optimizer.lr=0.001 case=small", "optimizer.lr=0.001 case=large",
                                                    "optimizer.lr=0.002 case=small", "optimizer.lr=0.002 case=large"}));
  const auto& small = made.lines[0].train.model;
  const auto& large = made.lines[1].train.model;
  EXPECT_EQ(small.at("layers"), 1);
  EXPECT_EQ(small.at("positional").at("max_exponent"), 8.0);  // the default
  EXPECT_EQ(large.at("layers"), 3);
  EXPECT_EQ(large.at("width"), 32);
  EXPECT_EQ(large.at("positional").at("max_exponent"), 4.0);
}

TEST_F(Sweep, ACaseCanBeTheBaseline) {
  EXPECT_EQ(errors(kBlock + kCases + "[compare]\nbaseline = { case = 'small' }\n"), "no error");
  EXPECT_EQ(errors(kBlock + kCases + "[compare]\nbaseline = { case = 'smal' }\n"),
            "test.toml:30:14: baseline matches no run: no run has case = smal; did you mean 'small'?");
}

TEST_F(Sweep, AConditionalAxis) {
  const auto made = plan(kBlock +
                         "[sweep.grid]\npositional = ['sinusoidal', 'alibi']\n"
                         "[[sweep.when]]\nif = { positional = 'alibi' }\n"
                         "grid = { model.positional.max_exponent = [4, 8, 16] }\n");
  EXPECT_EQ(labels(made),
            (std::vector<std::string>{"positional=sinusoidal", "positional=alibi model.positional.max_exponent=4",
                                      "positional=alibi model.positional.max_exponent=8",
                                      "positional=alibi model.positional.max_exponent=16"}));
}

TEST_F(Sweep, ConditionsSeeDefaultsAndExpressions) {
  const auto count = [&](const std::string& condition) {
    return plan(kBlock +
                "[sweep.grid]\nmodel.width = [32, 64]\nmodel.heads = ['= model.width / 16']\n[[sweep.when]]\nif = " +
                condition + "\ngrid = { model.layers = [1, 2, 3] }\n")
        .distinct;
  };
  EXPECT_EQ(count("{ model.positional.max_exponent = 8 }"), 6u);
  EXPECT_EQ(count("{ model.heads = { min = 3 } }"), 4u);
  EXPECT_EQ(count("{ model.width = [32], model.heads = 2 }"), 4u);
  EXPECT_EQ(count("{ objective.mle.weight = 1 }"), 6u);  // the core's own keys of an entry have defaults, too
}

TEST_F(Sweep, AnEntryKeepsItsLabelWhenItsComponentChanges) {
  const auto made = plan(kSmall +
                         "[[objective]]\nuse = 'simctg'\nlabel = 'second'\n[[sweep]]\n[sweep.grid]\n"
                         "objective.second = ['simctg', { label = 'twice', use = 'mle', weight = 0.5 }]\n");
  ASSERT_EQ(made.distinct, 2u);
  EXPECT_EQ(made.lines[1].label, "objective.second=twice");
  EXPECT_EQ(made.lines[1].train.section("objectives").at(1),
            (json{{"use", "mle"}, {"label", "second"}, {"weight", 0.5}}));
}

TEST_F(Sweep, ALaterConditionSeesTheAxesOfAnEarlierOne) {
  const auto made = plan(kBlock +
                         "[[sweep.when]]\nif = { positional = 'alibi' }\ngrid = { model.layers = [1, 2] }\n"
                         "[[sweep.when]]\nif = { model.layers = 2 }\ngrid = { model.width = [32, 64] }\n");
  EXPECT_EQ(labels(made), (std::vector<std::string>{"model.layers=1", "model.layers=2 model.width=32",
                                                    "model.layers=2 model.width=64"}));
}

TEST_F(Sweep, ExcludedCombinationsNeedNotBeValid) {
  const auto made = plan(kBlock +
                         "[sweep.grid]\npositional = ['sinusoidal', 'alibi']\nmodel.positional.max_exponent = [4, 8]\n"
                         "[[sweep.exclude]]\npositional = 'sinusoidal'\n");  // it has no max_exponent
  EXPECT_EQ(made.combinations, 2u);
  EXPECT_EQ(labels(made), (std::vector<std::string>{"positional=alibi model.positional.max_exponent=4",
                                                    "positional=alibi model.positional.max_exponent=8"}));
}

TEST_F(Sweep, EveryExcludeIsCheckedAlsoForDroppedCombinations) {
  const auto made = plan(kBlock +
                         "[sweep.grid]\nmodel.layers = [1, 4]\noptimizer.lr = [1e-3, 1e-2]\n"
                         "[[sweep.exclude]]\nmodel.layers = { min = 4 }\n"
                         "[[sweep.exclude]]\nmodel.layers = 4\noptimizer.lr = 1e-2\n");
  EXPECT_EQ(made.combinations, 2u);
}

// On the command line, too, a label selects its axis value.
TEST_F(Sweep, ALabelOnTheCommandLineSelectsItsAxisValue) {
  const auto sweep = kSmall +
                     "[[sweep]]\n[sweep.grid]\npositional = ['none', { label = 'alibi', use = 'alibi', "
                     "max_exponent = 4 }, { label = 'steep', use = 'alibi', max_exponent = 2 }]\n";
  for (const auto& [word, exponent] : {std::pair{"alibi", 4.0}, {"steep", 2.0}}) {
    const auto made = plan(sweep, {std::string("positional=") + word});
    ASSERT_EQ(made.lines.size(), 1u);
    EXPECT_EQ(made.lines[0].axes.at("positional"), word);
    EXPECT_EQ(made.lines[0].train.model.at("positional").at("max_exponent"), exponent);
  }
  EXPECT_EQ(plan(sweep, {"positional=sinusoidal"}).lines[0].train.model.at("positional").at("use"), "sinusoidal");
}

TEST_F(Sweep, ACombinationHasOneBudget) {
  const auto wrong = ::testing::HasSubstr("one combination sets two budgets, 'train.steps' and 'train.tokens'");
  const auto both = kBlock + "[sweep.grid]\ntrain.steps = [1, 2]\n";
  EXPECT_THAT(errors(both + "train.tokens = [1280, 2560]\n"), wrong);
  EXPECT_THAT(errors(both, {"train.tokens=1280"}), wrong);
}

// Enumerating them would take days.
TEST_F(Sweep, TooManyCombinationsAreRefusedAtOnce) {
  EXPECT_THAT(errors(kBlock + "[sweep.grid]\noptimizer.lr = { log = [1e-4, 1e-2], n = 10000 }\n"
                              "model.dropout = { linear = [0, 0.5], n = 10000 }\nmodel.layers = [1, 2]\n"),
              ::testing::HasSubstr("the sweep must have at most 100000 runs"));
}

TEST_F(Sweep, SetReachesIntoZipsCasesAndConditions) {
  EXPECT_EQ(labels(plan(kBlock + "[[sweep.zip]]\nmodel.layers = [1, 2]\noptimizer.lr = [1e-3, 2e-3]\n",
                        {"optimizer.lr=5e-3"})),
            (std::vector<std::string>{"model.layers=1 optimizer.lr=0.005", "model.layers=2 optimizer.lr=0.005"}));
  const auto cases = plan(kBlock + kCases, {"model.layers=2"});
  EXPECT_EQ(cases.lines[0].train.model.at("layers"), 2);
  EXPECT_EQ(cases.lines[1].train.model.at("layers"), 2);
  EXPECT_EQ(cases.distinct, 2u);
  // The override removes the condition's runs, which is not an error.
  EXPECT_EQ(labels(plan(kBlock + "[sweep.grid]\nmodel.width = [32, 64]\n[[sweep.when]]\nif = { model.width = 64 }\n"
                                 "grid = { model.layers = [1, 2] }\n",
                        {"model.width=32"})),
            (std::vector<std::string>{"model.width=32"}));
}

// A label is text, so a leading "=" in it is not evaluated. In a value it is.
TEST_F(Sweep, LabelsAreTextAndValuesMayBeExpressions) {
  EXPECT_EQ(labels(plan(kBlock + "[sweep.grid]\npositional = [{ label = '= 1', use = 'alibi' }, { label = '=', use = "
                                 "'alibi', max_exponent = 4 }]\n")),
            (std::vector<std::string>{"positional== 1", "positional=="}));
  EXPECT_EQ(labels(plan(kBlock + "[[sweep.case]]\nlabel = '= 1 + 1'\nset = { model.layers = 1 }\n[[sweep.case]]\n"
                                 "label = '=b'\nset = { model.layers = '= 1 + 1' }\n")),
            (std::vector<std::string>{"case== 1 + 1", "case==b"}));
  EXPECT_EQ(labels(plan(kBlock + "[sweep.grid]\nmodel.layers = [1, '= 1 + 1']\n")),
            (std::vector<std::string>{"model.layers=1", "model.layers=2"}));
  EXPECT_EQ(plan(kSmall + "[[evaluate]]\nuse = 'lm'\nlabel = '=lm'\nlengths = ['= 2 * data.context']\n")
                .lines.at(0)
                .evaluate.at(0)
                .label,
            "=lm");
}

TEST_F(Sweep, FileNamesAreTextToo) {
  write("experiments/=a.txt", "a");
  write("experiments/=b.txt", "b");
  const auto made = plan(kBlock + "[sweep.grid]\ndata.dataset.path = ['=a.txt', '=b.txt']\n");
  EXPECT_EQ(labels(made), (std::vector<std::string>{"data.dataset.path==a.txt", "data.dataset.path==b.txt"}));
  EXPECT_EQ(made.lines[1].train.data.dataset.at("path").at("path"), (folder_ / "experiments/=b.txt").string());
}

}  // namespace
}  // namespace assay::testing
