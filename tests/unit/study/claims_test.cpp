// [[claim]], [compare] and the pairs that are compared, on plan lines written by hand.
#include "study/claims.h"

#include <gmock/gmock.h>

#include "plan/compare_check.h"
#include "study/partners.h"
#include "unit/plan/fixture.h"
#include "unit/plan_line.h"

namespace assay::study {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::parsed;

Inequality inequality(const std::string& text) {
  document::Diagnostics diagnostics;
  const auto read = parse_inequality(text, {}, diagnostics);
  diagnostics.throw_if_any();
  return *read;
}

void expect_holds(const std::string& text, Relation relation, double left, double right, double offset, double within) {
  const auto found = inequality(text);
  EXPECT_EQ(found.relation, relation) << text;
  EXPECT_EQ(found.left_factor, left) << text;
  EXPECT_EQ(found.right_factor, right) << text;
  EXPECT_EQ(found.offset, offset) << text;
  EXPECT_EQ(found.within, within) << text;
}

TEST(HoldsGrammar, EveryForm) {
  expect_holds("left < right", Relation::kLess, 1, 1, 0, 0);
  expect_holds("left < right - 0.5", Relation::kLess, 1, 1, -0.5, 0);
  expect_holds("left>right+2e-3", Relation::kGreater, 1, 1, 0.002, 0);
  expect_holds("left < 0.98 * right", Relation::kLess, 1, 0.98, 0, 0);
  expect_holds("2 * left > 3 * right - 1", Relation::kGreater, 2, 3, -1, 0);
  expect_holds("left < 2.07", Relation::kLess, 1, 0, 2.07, 0);
  expect_holds("left > -1", Relation::kGreater, 1, 0, -1, 0);
  expect_holds("left < 2 + 0.5", Relation::kLess, 1, 0, 2.5, 0);
  expect_holds("left = right within 0.01", Relation::kEqual, 1, 1, 0, 0.01);
  expect_holds("left == right + 0.1 within 0.01", Relation::kEqual, 1, 1, 0.1, 0.01);
  expect_holds("left = 2 within 0.5", Relation::kEqual, 1, 0, 2, 0.5);
  // right < left - 0.5 is left - right - 0.5 > 0.
  expect_holds("right < left - 0.5", Relation::kGreater, 1, 1, 0.5, 0);
  expect_holds("2 * right > 3 * left", Relation::kLess, 3, 2, 0, 0);
}

TEST(HoldsGrammar, ErrorsAreReported) {
  const std::vector<std::pair<const char*, const char*>> cases{
      {"lef < right", "'lef' is not a side; did you mean 'left'?"},
      {"left", "<, > or = is missing"},
      {"left ~ right", "<, > or = is expected at '~ right'"},
      {"left <= right", "write '<'"},
      {"left <", "a side is missing at the end"},
      {"left < left", "'left' is on both sides"},
      {"right < 2", "a side that is compared with a number must be 'left'"},
      {"2 < left", "it must begin with a side"},
      {"left < right - x", "a number is expected at 'x'"},
      {"left < right -", "a number is missing at the end"},
      {"left = right", "'=' needs 'within M'"},
      {"left = right within 0", "the margin of 'within' must be more than 0"},
      {"left < right within 1", "'within 1' is unexpected at the end"},
      {"-1 * left < right", "factors of sides must be more than 0"},
      {"left < 1e999", "a number is expected"},
      {"", "a side is missing at the end"}};
  for (const auto& [text, message] : cases) {
    try {
      inequality(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const document::ConfigErrors& error) {
      EXPECT_THAT(error.what(), HasSubstr(message)) << text;
    }
  }
}

// One line per row: axes, and resolved values of optimizer.lr and model.width where they are given.
std::vector<record::PlanLine> rows(const std::vector<json>& axes) {
  std::vector<record::PlanLine> lines;
  for (const auto& one : axes) {
    const json train = {{"optimizer", {{"lr", one.value("optimizer.lr", 0.003)}}},
                        {"model", {{"width", one.value("model.width", 96)}}},
                        {"train", {{"steps", 100}, {"batch", 8}}}};
    lines.push_back(testing::plan_line({{"group", "g" + std::to_string(lines.size())},
                                        {"label", one.dump()},
                                        {"axes", one},
                                        {"train", train},
                                        {"evaluate",
                                         {{{"label", "lm"}, {"every", 20}, {"split", "validation"}},
                                          {{"label", "test"}, {"every", 0}, {"split", "test"}}}}}));
  }
  return lines;
}

sweep::Selector selector(const std::string& text) {
  document::Diagnostics diagnostics;
  auto read = sweep::read_selector(*testing::parsed("s = " + text).as<document::Table>()->find("s"), diagnostics);
  diagnostics.throw_if_any();
  return read;
}

// Returns the partner of every row that matches `left` among those that match `right`.
std::vector<std::vector<size_t>> pairs(const std::vector<record::PlanLine>& lines, const std::string& left,
                                       const std::string& right) {
  const Partners partners(first_lines(lines));
  const auto a = selector(left), b = selector(right);
  std::vector<std::vector<size_t>> found;
  for (const auto row : partners.matching(a))
    found.push_back(partners.of(row, partners.matching(b), Partners::free_axes(&a, b)));
  return found;
}

TEST(Partners, AgreeInTheOtherAxes) {
  const auto lines = rows({{{"positional", "alibi"}, {"optimizer.lr", 1e-3}},
                           {{"positional", "alibi"}, {"optimizer.lr", 3e-3}},
                           {{"positional", "sin"}, {"optimizer.lr", 1e-3}},
                           {{"positional", "sin"}, {"optimizer.lr", 3e-3}}});
  EXPECT_THAT(pairs(lines, "{ positional = 'alibi' }", "{ positional = 'sin' }"),
              ElementsAre(ElementsAre(2), ElementsAre(3)));
  // A condition on one side restricts the rows; a value fixed on one side is compared with all values that the other
  // side leaves open.
  EXPECT_THAT(pairs(lines, "{ positional = 'alibi', optimizer.lr = { min = 2e-3 } }", "{ positional = 'sin' }"),
              ElementsAre(ElementsAre(3)));
  EXPECT_THAT(pairs(lines, "{ positional = 'alibi', optimizer.lr = { min = 2e-3 } }",
                    "{ positional = 'sin', optimizer.lr = { min = 2e-3 } }"),
              ElementsAre(ElementsAre(3)));
  EXPECT_THAT(pairs(lines, "{ positional = 'alibi' }", "{ positional = 'sin', optimizer.lr = 1e-3 }"),
              ElementsAre(ElementsAre(2), ElementsAre(2)));
  EXPECT_THAT(pairs(lines, "{ positional = 'alibi' }", "{ positional = 'alibi' }"),
              ElementsAre(ElementsAre(0), ElementsAre(1)));
  EXPECT_THAT(pairs(lines, "{ optimizer.lr = { max = 1e-3 } }", "{ optimizer.lr = { min = 3e-3 } }"),
              ElementsAre(ElementsAre(1), ElementsAre(3)));
}

TEST(Partners, AxesOfOneSideAloneAreIgnored) {
  const auto lines = rows({{{"positional", "alibi"}, {"positional.max_exponent", 4}},
                           {{"positional", "alibi"}, {"positional.max_exponent", 8}},
                           {{"positional", "sin"}}});
  EXPECT_THAT(pairs(lines, "{ positional = 'alibi' }", "{ positional = 'sin' }"),
              ElementsAre(ElementsAre(2), ElementsAre(2)));
}

// Two blocks: a grid, and one more axis at the defaults. The default learning rate is 0.003.
TEST(Partners, OfSeveralTheOneWithTheSameResolvedValues) {
  const auto lines = rows({{{"positional", "sin"}, {"optimizer.lr", 1e-3}},
                           {{"positional", "sin"}, {"optimizer.lr", 3e-3}},
                           {{"model.width", 192}}});
  EXPECT_THAT(pairs(lines, "{ model.width = 192 }", "{ positional = 'sin' }"), ElementsAre(ElementsAre(1)));
}

TEST(Partners, FamiliesDifferInTheFreeAxesAlone) {
  const auto lines = rows({{{"positional", "alibi"}, {"optimizer.lr", 1e-3}},
                           {{"positional", "sin"}, {"optimizer.lr", 1e-3}},
                           {{"positional", "alibi"}, {"optimizer.lr", 3e-3}}});
  const Partners partners(first_lines(lines));
  EXPECT_THAT(partners.families({0, 1, 2}, {"optimizer.lr"}), ElementsAre(ElementsAre(0, 2), ElementsAre(1)));
}

// Returns the errors of these settings for these rows, one message per line, without positions.
std::string findings(const std::string& toml, const std::vector<record::PlanLine>& lines,
                     const std::vector<document::KeyPath>& narrowed = {},
                     const std::map<std::string, worker::ModelSize>& sizes = {}) {
  document::Diagnostics diagnostics;
  const auto settings = read_compare(testing::parsed(toml), diagnostics);
  plan::check_comparison(settings, lines, narrowed, diagnostics);
  plan::check_equal_costs(settings, lines, sizes, diagnostics);
  try {
    diagnostics.throw_if_any();
  } catch (const document::ConfigErrors& errors) {
    std::string all;
    for (const auto& one : errors.diagnostics()) all += one.message + "\n";
    return all;
  }
  return "";
}

const std::vector<record::PlanLine> kTwo =
    rows({{{"positional", "alibi"}, {"optimizer.lr", 1e-3}}, {{"positional", "sin"}, {"optimizer.lr", 3e-3}}});

TEST(CheckComparison, ARowWithoutAPartner) {
  const std::string claim =
      "[[claim]]\nsays = 'x'\nmetric = 'lm.x'\nleft = { positional = 'alibi' }\nright = { positional = 'sin' }\nholds "
      "= "
      "'left < right'\n";
  const std::string message =
      "has no partner in 'right': no row there has optimizer.lr = 0.001; sweep that value too, or set unmatched = "
      "\"drop\" to omit such rows";
  EXPECT_THAT(findings(claim, kTwo), HasSubstr(message));
  EXPECT_EQ(findings(claim + "unmatched = 'drop'", kTwo), "");
  EXPECT_EQ(findings(claim, kTwo, {{"optimizer", "lr"}}), "");
  EXPECT_THAT(findings("[compare]\nbaseline = { positional = 'sin' }", kTwo),
              HasSubstr("has no partner in the baseline"));
  EXPECT_EQ(findings("[compare]\nbaseline = { positional = 'sin' }\nunmatched = 'drop'", kTwo), "");
}

TEST(CheckComparison, StepsAtWhichNothingIsEvaluated) {
  const auto check = [&](const std::string& metric) {
    return findings("[compare]\nmetrics = ['" + metric + "']", kTwo);
  };
  EXPECT_EQ(check("lm.x@length=4,step=40"), "");
  EXPECT_EQ(check("lm.x@step=100"), "");
  EXPECT_EQ(check("train.loss@step=10"), "");
  EXPECT_THAT(check("lm.x@length=4,step=30"), HasSubstr("no value at step 30: it is evaluated every 20 steps"));
  EXPECT_THAT(check("test.x@step=20"), HasSubstr("evaluated only at the end"));
  EXPECT_THAT(check("train.loss@step=101"), HasSubstr("runs end at step 100"));
  EXPECT_THAT(check("train.loss@step=15"), HasSubstr("runs log every 10 steps"));
}

TEST(CheckComparison, Tuning) {
  const auto four = rows({{{"positional", "alibi"}, {"optimizer.lr", 1e-3}},
                          {{"positional", "alibi"}, {"optimizer.lr", 3e-3}},
                          {{"positional", "sin"}, {"optimizer.lr", 1e-3}},
                          {{"positional", "sin"}, {"optimizer.lr", 3e-3}}});
  const auto tune = [&](const std::string& over, const std::string& by, const std::vector<record::PlanLine>& lines,
                        const std::string& more = "") {
    return findings("[compare]\ntune = { over = ['" + over + "'], by = '" + by + "', split = 'validation' }\n" + more,
                    lines);
  };
  EXPECT_EQ(tune("optimizer.lr", "lm.x", four), "");
  EXPECT_THAT(tune("optimizer.rl", "lm.x", four),
              HasSubstr("'optimizer.rl' is not an axis of this sweep; did you mean 'optimizer.lr'?"));
  EXPECT_THAT(tune("optimizer.lr", "test.x", four),
              HasSubstr("evaluated on the split 'test', but tuning uses the split 'validation'"));
  const std::vector<record::PlanLine> three(four.begin(), four.begin() + 3);
  EXPECT_THAT(tune("optimizer.lr", "lm.x", three), HasSubstr("equal numbers of trials"));
  EXPECT_EQ(tune("optimizer.lr", "lm.x", four, "report = { split = 'test' }"), "");
  EXPECT_THAT(tune("optimizer.lr", "lm.x", four, "report = { split = 'train' }"),
              HasSubstr("no [[evaluate]] uses the split 'train'"));
  EXPECT_THAT(tune("optimizer.lr", "lm.x", four, "report = { seeds = [7] }"), HasSubstr("seed 7 is not one of"));
  EXPECT_THAT(tune("optimizer.lr", "lm.x", four, "report = { seeds = [1] }"),
              HasSubstr("at least one must be left for tuning"));
  EXPECT_THAT(findings("[compare]\nreport = { split = 'test' }", four), HasSubstr("needs 'tune'"));
  EXPECT_THAT(
      findings("[[claim]]\nsays = 'x'\nmetric = 'lm.x'\nleft = { positional = 'alibi' }\nholds = 'left < 1'\nover = "
               "'tuned'",
               four),
      HasSubstr("needs 'tune' in [compare]"));
}

TEST(CheckComparison, EqualCosts) {
  auto lines = kTwo;
  lines[1].train.train.steps = 103;
  EXPECT_EQ(findings("[compare]\nequal = { 'train.tokens' = 0.03 }", lines), "");
  EXPECT_THAT(
      findings("[compare]\nequal = { 'train.tokens' = 0.02 }", lines),
      HasSubstr(
          "rows are not equal in train.tokens: '{\"optimizer.lr\":0.001,\"positional\":\"alibi\"}' has 1.28e+04 and "
          "'{\"optimizer.lr\":0.003,\"positional\":\"sin\"}' has 1.318e+04, 3.0% more; at most 2% is allowed"));
  EXPECT_EQ(findings("[compare]\nequal = { 'train.flops' = 0 }", lines), "");  // the size of the models is unknown
  const std::map<std::string, worker::ModelSize> sizes{{"g0", {1000, 0}}, {"g1", {900, 0}}};
  EXPECT_THAT(findings("[compare]\nequal = { 'train.flops' = 0.02 }", lines, {}, sizes),
              HasSubstr("not equal in train.flops"));
  // Exact FLOPs: per row of a step, times rows and steps.
  const auto exact = [&](double first, double second) {
    return findings("[compare]\nequal = { 'train.flops_exact' = 0.02 }", lines, {},
                    {{"g0", {1000, first}}, {"g1", {900, second}}});
  };
  EXPECT_EQ(exact(103, 100), "");
  EXPECT_THAT(exact(100, 100), HasSubstr("not equal in train.flops_exact"));
  EXPECT_EQ(exact(100, 0), "");  // not counted
  EXPECT_THAT(findings("[compare]\nequal = { 'train.flop' = 0.02 }", lines), HasSubstr("did you mean 'train.flops'?"));
  EXPECT_THAT(findings("[compare]\nequal = { 'train.flops' = '2%' }", lines), HasSubstr("a number >= 0"));
}

}  // namespace
}  // namespace assay::study
