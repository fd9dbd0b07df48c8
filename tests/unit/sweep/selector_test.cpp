#include "sweep/selector.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

using nlohmann::json;

class SelectorText : public PlanTest {
 protected:
  static std::ptrdiff_t count_of(const plan::Plan& plan, const std::string& text) {
    document::Diagnostics diagnostics;
    const auto read =
        sweep::resolved(sweep::selector_of_text(text, "--only", diagnostics), sweep::pointers_to(plan.lines));
    diagnostics.throw_if_any();
    return std::count_if(plan.lines.begin(), plan.lines.end(),
                         [&](const record::PlanLine& line) { return sweep::matches(read, line); });
  }
  std::ptrdiff_t count(const std::string& text) const { return count_of(made_, text); }
  std::string error(const std::string& text) const {
    document::Diagnostics diagnostics;
    sweep::selector_of_text(text, "--only", diagnostics);
    try {
      diagnostics.throw_if_any();
    } catch (const document::ConfigErrors& errors) {
      return errors.what();
    }
    return "no error";
  }

  // 3 rates x 2 schemes, one of them labelled with a space and a comma.
  const plan::Plan made_ =
      plan(kSmall +
           "[[sweep]]\n[sweep.grid]\noptimizer.lr = [1e-3, 3e-3, 1e-2]\n"
           "positional = ['sinusoidal', { label = 'steep, 4', use = 'alibi', max_exponent = 4 }]\n");
};

TEST_F(SelectorText, EveryOperator) {
  EXPECT_EQ(count("optimizer.lr=1e-3"), 2);
  EXPECT_EQ(count("optimizer.lr=1e-3,1e-2"), 4);
  EXPECT_EQ(count("optimizer.lr!=1e-3"), 4);
  EXPECT_EQ(count("optimizer.lr!=1e-3,1e-2"), 2);
  EXPECT_EQ(count("optimizer.lr<3e-3"), 2);
  EXPECT_EQ(count("optimizer.lr<=3e-3"), 4);
  EXPECT_EQ(count("optimizer.lr>3e-3"), 2);
  EXPECT_EQ(count("optimizer.lr>=3e-3"), 4);
}

// The value 0.0031622776601683794 of a range is shown as 0.003162 in labels and tables.
TEST_F(SelectorText, AShownNumberSelectsItsValue) {
  const auto made = plan(kSmall + "[[sweep]]\n[sweep.grid]\noptimizer.lr = { log = [1e-3, 1e-2], n = 3 }\n");
  const auto count_in = [&](const std::string& text) { return count_of(made, text); };
  EXPECT_EQ(made.lines[1].label, "optimizer.lr=0.003162");
  EXPECT_EQ(count_in("optimizer.lr=0.003162"), 1);
  EXPECT_EQ(count_in("optimizer.lr!=0.003162"), 2);
  EXPECT_EQ(count_in("optimizer.lr=0.00316"), 0);
}

// The labels of 0.1 and 0.10001 show all of their digits, so that four digits match neither of them.
TEST_F(SelectorText, AnExactValueTakesPrecedence) {
  const auto close = plan(kSmall + "[[sweep]]\n[sweep.grid]\noptimizer.weight_decay = [0.1, 0.10001, 0.3]\n");
  EXPECT_EQ(close.lines[1].label, "optimizer.weight_decay=0.10001");
  EXPECT_EQ(count_of(close, "optimizer.weight_decay=0.1"), 1);
  EXPECT_EQ(count_of(close, "optimizer.weight_decay!=0.1"), 2);
  EXPECT_EQ(count_of(close, "optimizer.weight_decay=0.1,0.3"), 2);
  const auto closer = plan(kSmall + "[[sweep]]\n[sweep.grid]\noptimizer.weight_decay = [0.10001, 0.10002]\n");
  EXPECT_EQ(count_of(closer, "optimizer.weight_decay=0.1"), 0);
}

// The same holds in [[sweep.exclude]] and [[sweep.when]], before there are runs.
TEST_F(SelectorText, AConditionOfASweepMatchesExactlyItsValue) {
  const auto left = plan(kSmall +
                         "[[sweep]]\n[sweep.grid]\noptimizer.weight_decay = [0.1, 0.10001, 0.3]\n"
                         "[[sweep.exclude]]\noptimizer.weight_decay = 0.1\n");
  ASSERT_EQ(left.lines.size(), 2u);
  EXPECT_EQ(left.lines[0].axes.at("optimizer.weight_decay"), 0.10001);
  const auto shown = plan(kSmall +
                          "[[sweep]]\n[sweep.grid]\noptimizer.lr = { log = [1e-3, 1e-2], n = 3 }\n"
                          "[[sweep.exclude]]\noptimizer.lr = 0.003162\n");
  EXPECT_EQ(shown.lines.size(), 2u);
}

// 0.01 / 3 is 0.0033333333333333335, which labels show as 0.003333; the same holds for values of defaults and fixed
// expressions.
TEST_F(SelectorText, AConditionMatchesTheLabelOfAComputedValue) {
  const auto rates = [&](const std::string& condition) {
    return plan(kSmall + "[[sweep]]\n[sweep.grid]\noptimizer.lr = [1e-3, '= 0.01 / 3', 0.003]\n" + condition);
  };
  const auto left = rates("[[sweep.exclude]]\noptimizer.lr = 0.003333\n");
  ASSERT_EQ(left.lines.size(), 2u);
  EXPECT_EQ(left.lines[1].axes.at("optimizer.lr"), 0.003);
  EXPECT_EQ(rates("[[sweep.exclude]]\noptimizer.lr = { not = 0.003333 }\n").lines.size(), 1u);
  EXPECT_EQ(rates("[[sweep.when]]\nif = { optimizer.lr = 0.003333 }\ngrid = { model.layers = [1, 2, 3] }\n"
                  "[[sweep.exclude]]\noptimizer.lr = 0.003333\nmodel.layers = 2\n")
                .lines.size(),
            4u);
  const auto fixed = kSmall + "[[sweep]]\n[sweep.grid]\nmodel.layers = [1, 2]\nmodel.dropout = ['= 0.1 / 3']\n";
  EXPECT_EQ(plan(fixed + "[[sweep.exclude]]\nmodel.dropout = 0.03333\nmodel.layers = 2\n").lines.size(), 1u);
  EXPECT_THAT(errors(kSmall + "[[sweep]]\n[sweep.grid]\noptimizer.lr = [1e-3, '= 0.01 / 3']\n"
                              "[[sweep.exclude]]\noptimizer.lr = 0.00333\n"),
              ::testing::HasSubstr("'exclude' matches no run: no run has optimizer.lr = 0.00333;"));
}

TEST_F(SelectorText, TermsMustAllHold) {
  EXPECT_EQ(count("positional=sinusoidal optimizer.lr<1e-2"), 2);
  EXPECT_EQ(count("  positional=sinusoidal   model.layers=2 "), 3);
  EXPECT_EQ(count("optimizer.lr>1e-3 optimizer.lr<1e-2"), 2);
  EXPECT_EQ(count("optimizer.lr!=1e-3 optimizer.lr<1e-2"), 2);
}

TEST_F(SelectorText, QuotesKeepSpacesAndCommas) {
  EXPECT_EQ(count("positional=\"steep, 4\""), 3);
  EXPECT_EQ(count("positional='steep, 4',sinusoidal"), 6);
}

TEST_F(SelectorText, InvalidSelectors) {
  EXPECT_EQ(error("positional"),
            "--only: 'positional' is not a valid selector term; write positional=alibi,t5 or optimizer.lr<1e-2");
  EXPECT_EQ(error("=3"), "--only: '=3' is not a valid selector term; write positional=alibi,t5 or optimizer.lr<1e-2");
  EXPECT_EQ(error("a!3"), "--only: 'a!3' is not a valid selector term; write positional=alibi,t5 or optimizer.lr<1e-2");
  EXPECT_EQ(error("positional<alibi"), "--only: 'positional<alibi': < needs a number");
  EXPECT_EQ(error(" "), "--only: a selector must name at least one key, for instance positional=alibi");
}

}  // namespace
}  // namespace assay::testing
