#include "scaling/points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/error.h"

namespace assay::scaling {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

template <class Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

TEST(ScalingCsv, QuotesAndLineEnds) {
  const auto table = parse_csv("\xEF\xBB\xBFN,\"a, \"\"b\"\"\"\r\n1,\"x\ny\"\r\n\r\n2,", "t.csv");
  EXPECT_THAT(table.columns, ElementsAre("N", "a, \"b\""));
  ASSERT_EQ(table.rows.size(), 2);
  EXPECT_THAT(table.rows[0].cells, ElementsAre("1", "x\ny"));
  EXPECT_EQ(table.rows[0].line, 2);
  EXPECT_THAT(table.rows[1].cells, ElementsAre("2", ""));
  EXPECT_EQ(table.rows[1].line, 5);
}

TEST(ScalingCsv, RefusesWhatIsNotATable) {
  const auto parsed = [](const char* text) { return refusal([&] { parse_csv(text, "t.csv"); }); };
  EXPECT_THAT(parsed(""), HasSubstr("t.csv: the table is empty"));
  EXPECT_THAT(parsed("N,D\n1,\"2\n3"), HasSubstr("t.csv:2: a quoted cell is not closed"));
  EXPECT_THAT(parsed("N,D\n1,\"2\"3\n"), HasSubstr("t.csv:2: a quoted cell is followed by more text"));
  EXPECT_THAT(parsed("N,N\n1,2\n"), HasSubstr("two columns are named 'N'"));
  EXPECT_THAT(parsed("N,D\n1,2\n3\n"), HasSubstr("t.csv:3: the row has 1 cells, but the header names 2 columns"));
}

TEST(ScalingPoints, NamesOfColumns) {
  const auto columns = column_names("N=Model Size, total,C=Training FLOP,loss=Loss");
  EXPECT_EQ(columns.parameters, "Model Size, total");
  EXPECT_EQ(columns.flops, "Training FLOP");
  EXPECT_EQ(columns.loss, "Loss");
  EXPECT_TRUE(columns.flops_given);
  EXPECT_FALSE(columns.tokens_given);
  EXPECT_THAT(refusal([] { column_names("n=x"); }), HasSubstr("'n=x' does not begin with N=, D=, C= or loss="));
  EXPECT_THAT(refusal([] { column_names("N=,D=y"); }), HasSubstr("N= names no column"));
}

TEST(ScalingPoints, OneOfTokensAndFlopsSuffices) {
  const auto by_flops = points_of(parse_csv("N,C,loss\n2,120,3\n", "t"), {}, "t");
  EXPECT_EQ(by_flops[0].tokens, 10);
  const auto by_tokens = points_of(parse_csv("N,D,loss\n2,10, 3 \n", "t"), {}, "t");
  EXPECT_EQ(by_tokens[0].flops, 120);
  const auto both = points_of(parse_csv("N,D,C,loss\n2,10,130,3\n", "t"), {}, "t");
  EXPECT_EQ(both[0].flops, 130);
  EXPECT_THAT(refusal([] { points_of(parse_csv("N,loss\n1,2\n", "t"), {}, "t"); }),
              HasSubstr("there is no column 'D'"));
  EXPECT_THAT(refusal([] { points_of(parse_csv("n,D,loss\n1,2,3\n", "t"), {}, "t"); }),
              HasSubstr("there is no column 'N'"));
}

TEST(ScalingPoints, EveryUnfitRowIsNamed) {
  const auto said = refusal([] {
    points_of(parse_csv("N,D,loss\n0,1,1\n1,,1\n1,-2,1\n1,1,inf\n1,1,x\n1,1,1\n1,nan,1\n", "t.csv"), {}, "t.csv");
  });
  EXPECT_THAT(said, HasSubstr("t.csv: 6 rows cannot be fitted"));
  EXPECT_THAT(said, HasSubstr("line 2: N is 0, but must be above 0"));
  EXPECT_THAT(said, HasSubstr("line 3: D is empty"));
  EXPECT_THAT(said, HasSubstr("line 4: D is -2, but must be above 0"));
  EXPECT_THAT(said, HasSubstr("line 5: loss is infinite"));
  EXPECT_THAT(said, HasSubstr("line 6: loss is 'x', which is not a number"));
  EXPECT_THAT(said, HasSubstr("line 8: D is not a number"));
  EXPECT_THAT(said, Not(HasSubstr("line 7")));
}

TEST(ScalingPoints, DuplicatesCountTwiceOnlyIfTheUserSaysSo) {
  const auto points = points_of(parse_csv("N,D,loss\n1,2,3\n1,2,4\n1,2,3\n", "t.csv"), {}, "t.csv");
  EXPECT_THAT(refusal([&] { check_points(points, "t.csv", false); }),
              HasSubstr("line 4: N, D and loss equal those of line 2"));
  EXPECT_EQ(refusal([&] { check_points(points, "t.csv", true); }), "");
}

TEST(ScalingPoints, OptimaOutsideOfTheRuns) {
  const std::vector<Point> points{{.parameters = 10, .tokens = 400, .flops = 24000, .loss = 3},
                                  {.parameters = 40, .tokens = 100, .flops = 24000, .loss = 3},
                                  {.parameters = 20, .tokens = 300, .flops = 36000, .loss = 3}};
  EXPECT_EQ(outside_of(points, {30000, 40, 125}), "");
  EXPECT_EQ(outside_of(points, {36001, 20, 300}), "C from 2.4e+04 to 3.6e+04");
  EXPECT_EQ(outside_of(points, {30000, 9, 300}), "N from 10 to 40");
  EXPECT_EQ(outside_of(points, {30000, 12, 401}), "D from 100 to 400");
}

}  // namespace
}  // namespace assay::scaling
