#include "document/expression.h"

#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

struct Result {
  document::Node value;
  std::string error;
};

Result evaluate(const std::string& expression) {
  auto document = parsed("[model]\nwidth = 96\nhalf = 0.5\nname = \"x\"\nresult = \"" + expression +
                         "\"\ntwice = \"= 2 * model.width\"\nnote = \"= 1\"\n");
  document::Diagnostics diagnostics;
  const document::KnownKeys keys{
      .default_of = [](const document::KeyPath& path) -> std::optional<document::Node> {
        if (document::join_key(path) == "model.heads") return document::Node{int64_t{4}, {}};
        return std::nullopt;
      },
      .is_text = [](const document::KeyPath& path) { return document::join_key(path) == "model.note"; }};
  document::evaluate_expressions(document, keys, diagnostics);
  Result result{*document::find_path(document, {"model", "result"}), ""};
  try {
    diagnostics.throw_if_any();
  } catch (const document::ConfigErrors& error) {
    result.error = error.what();
  }
  return result;
}

void expect_int(const std::string& expression, int64_t expected) {
  const auto result = evaluate(expression);
  EXPECT_EQ(result.error, "");
  ASSERT_TRUE(result.value.as<int64_t>()) << expression;
  EXPECT_EQ(*result.value.as<int64_t>(), expected) << expression;
}

void expect_real(const std::string& expression, double expected) {
  const auto result = evaluate(expression);
  EXPECT_EQ(result.error, "");
  ASSERT_TRUE(result.value.as<double>()) << expression;
  EXPECT_DOUBLE_EQ(*result.value.as<double>(), expected) << expression;
}

TEST(Expression, ExactDivisionOfIntsIsAnInt) {
  expect_int("= model.width / 24", 4);
  expect_int("= 2 + 3 * 4", 14);
  expect_int("= (2 + 3) * 4", 20);
  expect_int("= 20 - 3 - 4", 13);
  expect_int("= 64 / 4 / 2", 8);
  expect_int("= -model.width + 100", 4);
  expect_int("= - -3", 3);
  expect_int("= model.twice / 3", 64);
  expect_int("= model.heads * 2", 8);
  expect_int("= max(3, min(model.width, 7), 5)", 7);
  expect_int("= floor(7 / 2) + ceil(7 / 2) + round(2.4)", 9);
  expect_real("= sqrt(model.width / 24)", 2);
  expect_real("= 3e-3 * pow(2, -0.5)", 0.0021213203435596424);
  EXPECT_THAT(evaluate("= sqrt(-1)").error, ::testing::HasSubstr("'sqrt' of these numbers is not a finite number"));
  EXPECT_THAT(evaluate("= pow(2)").error, ::testing::HasSubstr("takes two arguments"));
}

TEST(Expression, AnythingElseIsReal) {
  expect_real("= 7 / 2", 3.5);
  expect_real("= 2.0 * 3", 6.0);
  expect_real("= model.half + 1", 1.5);
  expect_real("= 3e-3 / 3", 1e-3);
  expect_real("= 9223372036854775807 + 1", 9223372036854775808.0);
}

TEST(Expression, ErrorsPointIntoTheText) {
  EXPECT_EQ(evaluate("= 1 / 0").error, "t.toml:5:15: in \"= 1 / 0\": division by zero");
  EXPECT_EQ(evaluate("= model.withd").error,
            "t.toml:5:13: in \"= model.withd\": unknown key 'model.withd'; did you mean 'width'?");
  EXPECT_EQ(evaluate("= model.result + 1").error,
            "t.toml:5:13: in \"= model.result + 1\": 'model.result' depends on itself");
  EXPECT_EQ(evaluate("= model.name").error,
            "t.toml:5:13: in \"= model.name\": 'model.name' must be a number, but is the string \"x\"");
  EXPECT_EQ(evaluate("= model.note").error,
            "t.toml:5:13: in \"= model.note\": 'model.note' must be a number, but is the string \"= 1\"");
  EXPECT_EQ(evaluate("= 1 2").error,
            "t.toml:5:15: in \"= 1 2\": '2' is unexpected; the expression must end or continue with an operator");
  EXPECT_EQ(evaluate("= 1e999").error, "t.toml:5:13: in \"= 1e999\": '1e999' is not a valid number");
}

TEST(Expression, DeepNestingIsAnErrorAndDoesNotCrash) {
  EXPECT_NE(evaluate("= " + std::string(100000, '(') + "1").error.find("nests deeper than 100 levels"),
            std::string::npos);
  EXPECT_NE(evaluate("= " + std::string(100000, '-') + "1").error.find("nests deeper than 100 levels"),
            std::string::npos);
}

}  // namespace
}  // namespace assay::testing
