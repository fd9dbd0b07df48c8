#include "scaling/law_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "assay/error.h"

namespace assay::scaling {
namespace {

using ::testing::HasSubstr;

std::string law_refusal(const std::string& text, const std::string& runs = "") {
  try {
    parse_law(text, "law.json", runs);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

const std::string kTwoLaws = R"({"quantities": [
  {"runs": "a", "approach": "parametric", "quantity": "A", "value": 1.5},
  {"runs": "a", "approach": "parametric", "quantity": "B", "value": 2.5},
  {"runs": "a", "approach": "parametric", "quantity": "E", "value": 3.5},
  {"runs": "a", "approach": "parametric", "quantity": "alpha", "value": 0.5},
  {"runs": "a", "approach": "parametric", "quantity": "beta", "value": 0.25},
  {"runs": "b", "approach": "parametric", "quantity": "A", "value": 9},
  {"runs": "b", "approach": "isoflop", "quantity": "a", "value": 0.5}]})";

TEST(LawFile, AnObjectOrAReport) {
  const auto law = parse_law(R"({"A": 1, "B": 2, "E": 3, "alpha": 0.4, "beta": 0.5})", "law.json", "");
  EXPECT_EQ(law.B, 2);
  EXPECT_EQ(law.beta, 0.5);
  const auto of_a = parse_law(kTwoLaws, "law.json", "a");
  EXPECT_EQ(of_a.A, 1.5);
  EXPECT_EQ(of_a.E, 3.5);
  EXPECT_EQ(of_a.alpha, 0.5);
}

TEST(LawFile, SaysWhatIsWrong) {
  EXPECT_THAT(law_refusal("A = 1"), HasSubstr("law.json: the file is not a law"));
  EXPECT_THAT(law_refusal(R"({"A": 1, "B": -2})"), HasSubstr("'B' is -2"));
  EXPECT_THAT(law_refusal(R"({"A": 1, "B": 2})"), HasSubstr("'E' is missing"));
  EXPECT_THAT(law_refusal(kTwoLaws), HasSubstr("laws of a, b; --runs must name one of them"));
  EXPECT_THAT(law_refusal(kTwoLaws, "b"), HasSubstr("'B' is missing"));
  EXPECT_THAT(law_refusal(R"({"quantities": []})"), HasSubstr("has no parametric fit"));
}

}  // namespace
}  // namespace assay::scaling
