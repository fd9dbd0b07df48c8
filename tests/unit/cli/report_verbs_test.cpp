// assay report and assay figure on results folders made by the tests.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "unit/cli/call.h"
#include "unit/compare/results_builder.h"
#include "unit/source_folder.h"

namespace assay::cli {
namespace {

using testing::call;
using ::testing::HasSubstr;

class ReportVerbs : public ::testing::Test {
 protected:
  ReportVerbs() { ::setenv("ASSAY_RESULTS", results_.experiment().folder().parent_path().c_str(), 1); }
  ~ReportVerbs() override { ::unsetenv("ASSAY_RESULTS"); }

  bool has_gnuplot() { return std::system("gnuplot --version >/dev/null 2>&1") == 0; }
  testing::ResultsBuilder results_;
};

TEST_F(ReportVerbs, ReportIsWrittenBesideThePlanOrToTheGivenFile) {
  results_.finished({.scheme = "alibi"}, {{64, 2.0}});
  const auto file = results_.experiment().folder() / "report.html";
  auto called = testing::call({"report", "quick"});
  EXPECT_EQ(called.code, 0);
  EXPECT_EQ(called.out, "");
  EXPECT_EQ(called.err, "wrote " + file.string() + "\n");
  EXPECT_THAT(base::read_file(file), HasSubstr("assay report quick"));
  const testing::TemporaryFolder folder;
  const auto other = folder / "other.html";
  EXPECT_EQ(testing::call({"report", "quick", "--metric", "train.loss", "--out", other.string()}).code, 0);
  EXPECT_THAT(base::read_file(other), HasSubstr(R"("title":"train.loss")"));
  // The sweep is finished, so --watch ends at once.
  EXPECT_EQ(testing::call({"report", "quick", "--watch"}).code, 0);
  EXPECT_THAT(base::read_file(file), HasSubstr(R"("reload_seconds":0})"));
}

TEST_F(ReportVerbs, RefuseAsCompareDoes) {
  results_.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results_.finished({.scheme = "a", .seed = 2, .training_code = "other"}, {{64, 3.0}});
  for (const char* verb : {"report", "figure"}) {
    EXPECT_EQ(testing::call({verb}).code, 2);
    EXPECT_THAT(testing::call({verb, "quik"}).err, HasSubstr("did you mean 'quick'?"));
  }
  EXPECT_EQ(testing::call({"report", "quick"}).code, 5);
  EXPECT_FALSE(std::filesystem::exists(results_.experiment().folder() / "report.html"));
  EXPECT_EQ(testing::call({"report", "quick", "--mixed-code"}).code, 0);
  EXPECT_THAT(testing::call({"figure", "quick"}).err, HasSubstr("has no [[figure]]"));
}

// The extrapolation experiment's own figure on records made here: every number of its CSV is one of the table's.
TEST_F(ReportVerbs, FigureOfTheExtrapolationHasTheNumbersOfTheTable) {
  if (!has_gnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  for (int seed = 1; seed <= 3; ++seed) {
    results_.finished({.scheme = "alibi", .seed = seed}, {{64, 2.3 + 0.01 * seed}, {512, 2.31}, {1024, 2.3}});
    results_.finished({.scheme = "sinusoidal", .seed = seed}, {{64, 2.5}, {512, 4.5 + 0.1 * seed}, {1024, nullptr}});
  }
  const testing::TemporaryFolder folder;
  const auto file = folder.write(
      "quick.toml", "extends = [\"" + (testing::source_folder() / "experiments/alibi/extrapolation.toml").string() +
                        "\"]\n[experiment]\nname = \"quick\"\n[compare]\nmetrics = [\"lm.bits_per_byte\"]\n");
  const auto called = testing::call({"figure", file.string(), "--out", folder.path().string()});
  EXPECT_EQ(called.code, 0) << called.err;
  for (const char* end : {".svg", ".pdf", ".csv", ".gp"})
    EXPECT_TRUE(std::filesystem::exists(folder / (std::string("extrapolation") + end))) << end;
  const auto table = nlohmann::json::parse(testing::call({"compare", file.string(), "--format", "json"}).out);
  std::string expected = "series,length,mean,half_width,n,runs,table.experiment\n";
  for (const auto& row : table["rows"])
    for (const auto& cell : row["cells"]) {
      const std::string column = cell["column"], base = "lm.bits_per_byte@length=";
      if (!column.starts_with(base)) continue;
      const auto text = [](const nlohmann::json& value) {
        return value.is_null() ? "" : fmt::format("{}", value.get<double>());
      };
      const int n = cell["count"]["n"];
      expected += fmt::format("{},{},{},{},{},{},quick\n", row["axes"]["positional"].get<std::string>(),
                              column.substr(base.size()), text(cell["mean"]), text(cell["half_width"]), n,
                              n == 0                        ? "0/3 (3 diverged)"
                              : cell["count"]["stale"] == 3 ? "3 (3 stale)"
                                                            : "3");
    }
  // Keeps the columns of the figure itself and the first of those whose values are the same on every line.
  std::istringstream lines(base::read_file(folder / "extrapolation.csv"));
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    size_t end = 0;
    for (int column = 0; column < 7; ++column) end = line.find(',', end + 1);
    found += line.substr(0, end) + "\n";
  }
  EXPECT_EQ(found, expected);
  EXPECT_THAT(expected, HasSubstr("\nalibi,64,2.32,0.0248"));  // 2.31, 2.32, 2.33: 4.30265 * 0.01 / sqrt(3)
}

}  // namespace
}  // namespace assay::cli
