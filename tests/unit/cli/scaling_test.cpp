// assay scaling: tables of other people, experiments, formats, figures, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "unit/cli/call.h"
#include "unit/scaling/surface.h"
#include "unit/temporary_folder.h"

namespace assay::cli {
namespace {

using assay::testing::call;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

// Few starts, which suffice on a surface without noise.
const std::string kGrid = "grid={alpha=[0.5],beta=[0.5],e=[0.5],a=[5],b=[5,10]}";

struct TableFile {
  TableFile() {
    std::string text = "Model Size,Tokens,Final Loss\n";
    for (const auto& point : scaling::surface_points(0))
      text += fmt::format("{},{},{}\n", point.parameters, point.tokens, point.loss);
    file = folder.write("runs.csv", text).string();
  }
  assay::testing::TemporaryFolder folder;
  std::string file;
  std::string columns = "N=Model Size,D=Tokens,loss=Final Loss";
};

TEST(ScalingVerb, FitsATableInEveryFormat) {
  const TableFile table;
  const auto fit = [&](const std::string& format) {
    return call({"scaling", "fit", "--csv", table.file, "--columns", table.columns, kGrid, "bootstrap=20", "seed=1",
                 "at=[1e18]", "--format", format});
  };
  const auto json = nlohmann::json::parse(fit("json").out);
  std::map<std::string, nlohmann::json> values;
  for (const auto& one : json["quantities"]) values[one["quantity"]] = one;
  EXPECT_NEAR(values.at("alpha")["value"].get<double>(), 0.3478, 1e-4);
  EXPECT_NEAR(values.at("a")["value"].get<double>(), 0.3658 / (0.3478 + 0.3658), 1e-4);
  EXPECT_EQ(values.at("alpha")["confidence"], 0.95);
  EXPECT_EQ(values.at("a")["confidence"], 0.8);
  EXPECT_TRUE(values.contains("N_opt at C=1e+18"));
  EXPECT_THAT(json["provenance"]["table"].get<std::string>(), HasSubstr("runs.csv "));
  EXPECT_THAT(fit("text").out, HasSubstr("parametric  alpha"));
  EXPECT_THAT(fit("md").out, HasSubstr("| approach | quantity | value | std | interval |"));
  EXPECT_THAT(fit("csv").out, HasSubstr("runs,approach,quantity,value,std,low,high,confidence,note,"));
  EXPECT_THAT(fit("latex").out, HasSubstr("\\begin{tabular}{llrrl}"));
  EXPECT_EQ(fit("yaml").code, 2);
}

TEST(ScalingVerb, SaysWhatItDid) {
  const TableFile table;
  const auto said = call({"scaling", "fit", "--csv", table.file, "--columns", table.columns, kGrid, "bootstrap=0",
                          "exclude_highest=1", "at=[1e30]", "loss=lad"})
                        .out;
  EXPECT_THAT(said, HasSubstr("least absolute deviations of ln loss over 39 rows"));
  EXPECT_THAT(said, HasSubstr("excluded by exclude_highest: line 2"));
  EXPECT_THAT(said, HasSubstr("warning: all of them are at the edge of the grid"));
  EXPECT_THAT(said, HasSubstr("extrapolated: the runs have C from"));
  EXPECT_THAT(said, Not(HasSubstr("interval")));
}

TEST(ScalingVerb, RefusesWithAReason) {
  const TableFile table;
  const auto fit = [&](std::vector<std::string> more) {
    std::vector<std::string> words{"scaling", "fit"};
    words.insert(words.end(), more.begin(), more.end());
    const auto called = call(words);
    EXPECT_EQ(called.code, 2);
    return called.err;
  };
  EXPECT_THAT(fit({}), HasSubstr("takes one experiment, a TOML file or a name, or --csv FILE"));
  EXPECT_THAT(fit({"--csv", table.file, "seed=1"}), HasSubstr("there is no column 'N'"));
  EXPECT_THAT(fit({"--csv", table.file}), HasSubstr("[scaling] needs 'seed'"));
  EXPECT_THAT(fit({"--csv", table.file, "quickstart"}),
              HasSubstr("--csv takes no experiment, but 'quickstart' is given"));
  EXPECT_THAT(fit({"--csv", table.file, "bootstrap=0", "by=[\"x\"]"}), HasSubstr("is for experiments"));
  EXPECT_THAT(fit({"--csv", table.file, "bootstrap=0", "dleta=1"}), HasSubstr("did you mean 'delta'?"));
  EXPECT_THAT(fit({"--csv", table.file, "bootstrap=0", "approaches=[\"isoflops\"]"}),
              HasSubstr("'isoflops' is not a valid approach"));
  EXPECT_THAT(fit({"--csv", table.file, "bootstrap=0", "approaches=[\"envelope\"]"}),
              HasSubstr("needs training curves"));
  EXPECT_THAT(fit({"--csv", table.file, "bootstrap=0", "--reference"}), HasSubstr("--reference is for experiments"));
  EXPECT_THAT(fit({"--csv", table.file + "x", "bootstrap=0"}), HasSubstr("runs.csvx"));
  EXPECT_THAT(call({"scaling"}).err, HasSubstr("scaling fit"));
}

TEST(ScalingVerb, DrawsFigures) {
  const TableFile table;
  const auto folder = table.folder.path() / "figures";
  const auto called = call({"scaling", "fit", "--csv", table.file, "--columns", table.columns, kGrid, "bootstrap=0",
                            "approaches=[\"parametric\",\"isoflop\"]", "budgets=[1e18,1e19]", "window=0.6", "--figures",
                            folder.string()});
  ASSERT_EQ(called.code, 0) << called.err;
  for (const char* name : {"loss-by-flops", "isoflop", "residuals"})
    for (const char* end : {".svg", ".pdf", ".gp"})
      EXPECT_GT(std::filesystem::file_size(folder / (std::string(name) + end)), 100) << name << end;
  const auto script = base::read_file(folder / "loss-by-flops.gp");
  EXPECT_THAT(script, HasSubstr("using 2:3 with points linetype 1 title 'runs'"));
  EXPECT_THAT(script, HasSubstr("using 2:3 with lines linetype 1 title 'frontier'"));
  // The frontier is drawn where the optimum is among the runs' N and D.
  std::istringstream lines(base::read_file(folder / "loss-by-flops.csv"));
  int on_frontier = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("frontier,")) continue;
    ++on_frontier;
    const double flops = std::stod(line.substr(9));
    const auto best = scaling::optimum(scaling::frontier_of(scaling::kReplication), flops);
    EXPECT_TRUE(best.parameters > 0.99e7 && best.parameters < 1.29e9 && best.tokens > 0.99e9 && best.tokens < 8.2e10);
  }
  EXPECT_GT(on_frontier, 10);
  const auto csv = base::read_file(folder / "residuals.csv");
  EXPECT_THAT(csv, HasSubstr("series,training FLOPs,ln(fitted loss) - ln(loss),"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 41);
}

TEST(ScalingVerb, CountsFlops) {
  const auto said = call({"scaling", "flops", "--layers", "10", "--width", "640", "--ffw", "2560", "--heads", "10",
                          "--head-width", "64", "--vocabulary", "32000", "--context", "2048"})
                        .out;
  EXPECT_THAT(said, HasSubstr("73728000 parameters"));
  EXPECT_THAT(said, HasSubstr("1.02639"));
  EXPECT_THAT(call({"scaling", "flops", "--layers", "10"}).err, HasSubstr("--width must be given, and above 0"));
}

// Values of the closed form at the budget of Gopher, as in power_law_test.cpp.
TEST(ScalingVerb, PlansByTheLawOfThePaperOrAnother) {
  const auto said = call({"scaling", "plan", "--flops", "5.76e23"}).out;
  EXPECT_THAT(said, ContainsRegex("5.76e\\+23 +4.03[56][0-9]+e\\+10 +2.37[89][0-9]+e\\+12 +58.9[23]"));
  EXPECT_THAT(said, HasSubstr("Extrapolated: the runs behind this law have C from 6e+18 to 3e+21."));
  EXPECT_THAT(call({"scaling", "plan", "--flops", "1e20"}).out, Not(HasSubstr("Extrapolated")));
  EXPECT_THAT(said, HasSubstr("Hoffmann et al. 2022"));
  const assay::testing::TemporaryFolder folder;
  const auto file =
      folder.write("law.json", R"({"A": 406.4, "B": 410.7, "E": 1.69, "alpha": 0.34, "beta": 0.28})").string();
  EXPECT_THAT(call({"scaling", "plan", "--flops", "5.76e23", "--law", file}).out,
              ContainsRegex("3.21[89][0-9]+e\\+10"));
  EXPECT_THAT(call({"scaling", "plan", "--parameters", "1e9"}).out, HasSubstr("1.748e+20"));
  EXPECT_THAT(call({"scaling", "plan", "--loss", "2.5"}).out, HasSubstr("loss 2.5"));
  EXPECT_THAT(call({"scaling", "plan", "--loss", "1.5"}).err, HasSubstr("no budget reaches the loss 1.5"));
  EXPECT_THAT(call({"scaling", "plan"}).err, HasSubstr("takes --flops, --parameters, --loss or an experiment file"));
  EXPECT_THAT(call({"scaling", "plan", "--flops", "-1"}).err, HasSubstr("-1"));
}

// What `scaling fit` prints is a law for `scaling plan`.
TEST(ScalingVerb, PlansByAFit) {
  const TableFile table;
  const auto fitted = call({"scaling", "fit", "--csv", table.file, "--columns", table.columns, kGrid, "bootstrap=0",
                            "--format", "json"})
                          .out;
  const auto file = table.folder.write("law.json", fitted).string();
  const auto best = scaling::optimum(scaling::frontier_of(scaling::kReplication), 1e20);
  EXPECT_THAT(call({"scaling", "plan", "--flops", "1e20", "--law", file}).out,
              HasSubstr(fmt::format("{:.3g}", best.parameters).substr(0, 4)));
}

}  // namespace
}  // namespace assay::cli
