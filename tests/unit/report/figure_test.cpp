// Figures: where each value is drawn, and that the files have the table's numbers.
#include "report/figure.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "compare/table/collect.h"
#include "record/plan_line/plan_lines.h"
#include "report/draw.h"
#include "unit/compare/results_builder.h"

namespace assay::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Figures : public ::testing::Test {
 protected:
  Figure figure(const std::string& x, const std::string& y, const std::vector<std::string>& series = {"positional"}) {
    const auto lines = record::read_plan_lines(results_.experiment().plan());
    const study::FigureSettings settings{
        .name = "f", .x = x, .y = y, .series = series, .position = {}, .series_position = {}};
    table_ = compare::collect({.experiment = results_.experiment(),
                               .metrics = metrics_of(settings, lines),
                               .baseline = {},
                               .mixed_code = false,
                               .current_code = "",
                               .command = "assay figure quick"});
    return make_figure(settings, table_, lines);
  }
  // Sets a key of the configuration, or an axis, of all planned runs of a scheme.
  void edit_plan(const std::string& scheme, const nlohmann::json& patch) {
    std::string text;
    for (const auto& line : record::read_plan_lines(results_.experiment().plan())) {
      auto edited = line.to_json();
      if (line.axes.at("positional") == scheme) edited.merge_patch(patch);
      text += edited.dump() + "\n";
    }
    base::write_atomically(results_.experiment().plan(), text);
  }
  std::string error(const std::string& x, const std::string& y,
                    const std::vector<std::string>& series = {"positional"}) {
    try {
      figure(x, y, series);
    } catch (const UserError& problem) {
      return problem.what();
    }
    return "";
  }
  testing::ResultsBuilder results_;
  compare::Table table_;
};

// 2.0, 2.1, 2.3: mean 32/15, half-width 4.30265272974946 sqrt(7/900): 0.379457...; see format_test.
TEST_F(Figures, ByCoordinateHasTheNumbersOfTheTable) {
  int seed = 0;
  for (const double value : {2.0, 2.1, 2.3})
    results_.finished({.scheme = "alibi", .seed = ++seed}, {{64, value}, {1024, 2 * value}, {512, value + 1}});
  results_.finished({.scheme = "learned"}, {{64, 2.5}, {512, "n/a"}, {1024, "n/a"}});
  const auto drawn = figure("length", "lm.bits_per_byte");
  ASSERT_EQ(drawn.series.size(), 2u);
  EXPECT_EQ(drawn.unit, "bits/byte");
  EXPECT_FALSE(drawn.categories);
  const auto& alibi = drawn.series[0];
  EXPECT_EQ(alibi.label, "alibi");
  std::vector<double> x;
  for (const auto& point : alibi.points) x.push_back(point.x);
  EXPECT_THAT(x, ElementsAre(64, 512, 1024));
  EXPECT_NEAR(alibi.points[0].summary.mean, 32.0 / 15, 1e-12);
  EXPECT_NEAR(*alibi.points[0].summary.half_width, 0.379457, 1e-5);
  EXPECT_NEAR(alibi.points[2].summary.mean, 64.0 / 15, 1e-12);

  std::istringstream lines(figure_csv(drawn));
  std::string line;
  std::vector<std::string> rows;
  while (std::getline(lines, line)) rows.push_back(line);
  EXPECT_THAT(rows[0],
              StartsWith("series,length,mean,half_width,n,runs,table.experiment,table.notes,provenance.plan,"));
  const std::string constant =
      ",quick,\"lm.bits_per_byte by length; mean and 95% Student-t interval over seeds (n = 1 to 3), on this held-out "
      "text\",";
  const auto& cell = table_.rows[0].cells[0];
  EXPECT_THAT(rows[1],
              StartsWith(fmt::format("alibi,64,{},{},3,3", cell.summary.mean, *cell.summary.half_width) + constant));
  EXPECT_THAT(rows[4], StartsWith("learned,64,2.5,,1,1" + constant));
  EXPECT_THAT(rows[5], StartsWith("learned,512,,,0,0/1 (1 n/a)" + constant));
  EXPECT_EQ(rows.size(), 7);
  EXPECT_THAT(rows.back(), ::testing::EndsWith(",assay figure quick"));
}

TEST_F(Figures, ByKeyByAxisAndByCost) {
  results_.finished({.scheme = "a"}, {{64, 2.0}});
  results_.finished({.scheme = "b", .seed = 1}, {{64, 3.0}});
  edit_plan("a", {{"axes", {{"size", "large"}}}, {"train", {{"model", {{"width", 128}}}}}});
  edit_plan("b", {{"axes", {{"size", "small"}}}, {"train", {{"model", {{"width", 96}}}}}});
  const auto by_width = figure("model.width", "lm.bits_per_byte@length=64", {"positional"});
  EXPECT_EQ(by_width.series.at(0).points.at(0).x, 128);
  EXPECT_EQ(by_width.series.at(1).points.at(0).x, 96);
  EXPECT_FALSE(by_width.categories);
  edit_plan("a", {{"train", {{"model", {{"positional", {{"rate", 0.5}}}}}}}});
  EXPECT_EQ(figure("positional.rate", "lm.bits_per_byte@length=64").series.at(0).points.at(0).x, 0.5);
  const auto by_size = figure("size", "lm.bits_per_byte@length=64", {});
  EXPECT_TRUE(by_size.categories);
  const auto csv = figure_csv(by_size);
  for (const char* line : {"series,size,mean,half_width,n,runs,place,table.experiment,", "\na,large,2,,1,1,0,quick,",
                           "\nb,small,3,,1,1,1,quick,"})
    EXPECT_THAT(csv, HasSubstr(line));
  EXPECT_THAT(figure_script(by_size), HasSubstr("set xtics ('large' 0, 'small' 1)\n"));
  EXPECT_EQ(figure("train.flops", "lm.bits_per_byte").series.at(0).points.at(0).x, 4.17e12);
  EXPECT_EQ(figure("train.seconds", "lm.bits_per_byte").series.at(0).points.at(0).x, 10);
}

// The margin of 64..1024 is 16^0.04 = 2^0.16 = 1.117287: 64 / 1.117287 = 57.2816, 1024 * 1.117287 = 1144.1.
TEST_F(Figures, LogarithmicAxisEndsBesideItsPoints) {
  results_.finished({.scheme = "a"}, {{64, 2.0}, {1024, 3.0}});
  EXPECT_THAT(figure_script(figure("length", "lm.bits_per_byte")),
              HasSubstr("set logscale x\nset xrange [57.2816:1144.1]\n"));
}

TEST_F(Figures, FiguresThatCannotBeDrawnGiveTheReason) {
  results_.finished({.scheme = "a"}, {{64, 2.0}, {128, 2.0}});
  results_.finished({.scheme = "b"}, {{64, 3.0}, {128, 2.0}});
  EXPECT_THAT(
      error("size", "lm.bits_per_byte"),
      HasSubstr(
          "x = \"size\" is not a coordinate of 'lm.bits_per_byte' (which has length), a key of the runs or a metric"));
  EXPECT_THAT(error("positional", "lm.bits_per_byte"),
              HasSubstr("leaves a coordinate open; name one of lm.bits_per_byte@length=64, "));
  edit_plan("a", {{"axes", {{"positional", "b"}, {"size", "large"}}}});
  EXPECT_THAT(error("length", "lm.bits_per_byte"), HasSubstr("series 'b' has two values at length = 64"));
  EXPECT_EQ(error("length", "lm.bits_per_byte", {"positional", "size"}), "");
}

// a: 2 of 3 seeds at 512, none at 1024; b: none in the middle; c: none at all; learned cannot answer beyond 64.
class IncompleteFigures : public Figures {
 protected:
  IncompleteFigures() {
    for (int seed = 1; seed <= 3; ++seed) {
      const nlohmann::json lost;
      results_.finished({.scheme = "a", .seed = seed},
                        {{64, 2.0}, {512, seed == 3 ? lost : nlohmann::json(2.5)}, {1024, lost}});
      results_.finished({.scheme = "b", .seed = seed}, {{64, 3.0}, {512, lost}, {1024, 3.5}});
      results_.failed({.scheme = "c", .seed = seed}, seed == 1 ? "bug" : "non_finite");
      results_.finished({.scheme = "learned", .seed = seed}, {{64, 2.2}, {512, "n/a"}, {1024, "n/a"}});
    }
  }
};

TEST_F(IncompleteFigures, MarkAndNameWhatIsIncomplete) {
  const auto drawn = figure("length", "lm.bits_per_byte");
  const auto csv = figure_csv(drawn);
  EXPECT_THAT(csv, HasSubstr("\na,512,2.5,0,2,2/3 (1 diverged),quick,"));
  EXPECT_THAT(csv, HasSubstr("\na,1024,,,0,0/3 (3 diverged),quick,"));
  EXPECT_THAT(csv, HasSubstr("; incomplete: a at 512: 2 of 3 runs (1 diverged)"
                             "; incomplete: a at 1024: 0 of 3 runs (3 diverged)"
                             "; incomplete: b at 512: 0 of 3 runs (3 diverged)"
                             "; incomplete: c at 64, 512, 1024: 0 of 3 runs (1 failed, 2 diverged)\","));
  EXPECT_THAT(csv, Not(HasSubstr("incomplete: learned")));  // nothing is missing
  const auto script = figure_script(drawn);
  const std::string next = ".\"\\n\".";
  EXPECT_THAT(script,
              HasSubstr(next + "'ring: mean of a part of the planned runs; cross: no run has a value'" + next +
                        "'a at 512: 2 of 3 runs (1 diverged)'" + next + "'a at 1024: 0 of 3 runs (3 diverged)'" + next +
                        "'b at 512: 0 of 3 runs (3 diverged)'" + next + "'and 1 more'\n"));
  // The ring is around line 1 of the CSV; the crosses are at the upper edge, one line of them per series.
  EXPECT_THAT(script, HasSubstr("'f.csv' skip 1 every ::1::1 using 2:3 with points linetype 1 pointtype 6"));
  EXPECT_THAT(script, HasSubstr("set label 1 '' at first 1024, graph 0.97 point linetype 1 pointtype 2"));
  EXPECT_THAT(script, HasSubstr("set label 2 '' at first 512, graph 0.92 point linetype 2 pointtype 2"));
  EXPECT_THAT(script, HasSubstr("set label 5 '' at first 1024, graph 0.87 point linetype 3 pointtype 2"));
  EXPECT_THAT(script, Not(HasSubstr("set label 6")));
  // b's line is broken where it has no value; c is in the key nevertheless.
  EXPECT_THAT(script, HasSubstr("every ::3::3 using 2:3 with linespoints linetype 2 dashtype 1 title 'b'"));
  EXPECT_THAT(script, HasSubstr("every ::5::5 using 2:3 with linespoints linetype 2 dashtype 1 notitle"));
  EXPECT_THAT(script, HasSubstr("NaN with linespoints linetype 3 dashtype 1 title 'c'"));
}

TEST_F(IncompleteFigures, AreDrawnWithTheirMarks) {
  if (std::system("gnuplot --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  const testing::TemporaryFolder folder;
  draw_figure(figure("length", "lm.bits_per_byte"), folder.path());
  const auto svg = base::read_file(folder / "f.svg");
  EXPECT_THAT(svg, HasSubstr("a at 512: 2 of 3 runs (1 diverged)"));
  EXPECT_THAT(svg, HasSubstr("<use xlink:href='#gpPt5' transform="));  // gnuplot's open circle, its point type 6
  EXPECT_THAT(svg, HasSubstr("<use xlink:href='#gpPt1' transform="));  // its cross, type 2
}

// Only finished runs have a cost: a row without one has no position and is listed.
TEST_F(IncompleteFigures, ARowWithoutAPositionIsListed) {
  const auto drawn = figure("train.flops", "lm.bits_per_byte@length=64");
  ASSERT_EQ(drawn.series.size(), 3u);
  EXPECT_THAT(figure_csv(drawn),
              HasSubstr("; incomplete: positional=c: 0 of 3 runs (1 failed, 2 diverged), so it has no train.flops\","));
  EXPECT_THAT(figure_script(drawn),
              HasSubstr("'positional=c: 0 of 3 runs (1 failed, 2 diverged), so it has no train.flops'"));
}

// With crosses only, gnuplot would find no ranges.
TEST_F(Figures, OfRowsThatAllDivergedAreDrawn) {
  if (std::system("gnuplot --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  for (int seed = 1; seed <= 2; ++seed)
    results_.finished({.scheme = "a", .seed = seed}, {{64, nullptr}, {512, nullptr}});
  const testing::TemporaryFolder folder;
  draw_figure(figure("length", "lm.bits_per_byte"), folder.path());
  EXPECT_THAT(base::read_file(folder / "f.svg"), HasSubstr("2 diverged"));
  draw_figure(figure("positional", "lm.bits_per_byte@length=64", {}), folder.path());
  EXPECT_THAT(base::read_file(folder / "f.svg"), HasSubstr("2 diverged"));
}

// A label with all characters that are special in gnuplot and CSV; drawn twice, the bytes are the same.
TEST_F(Figures, AreDrawnTheSameEveryTime) {
  if (std::system("gnuplot --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  results_.finished({.scheme = "a", .seed = 1}, {{64, 2.0}, {512, 2.5}});
  results_.finished({.scheme = "a", .seed = 2}, {{64, 2.5}, {512, 2.75}});
  edit_plan("a", {{"axes", {{"positional", "it's, \"x\"_{y}^2 \\n\n`id`"}}}});
  const auto drawn = figure("length", "lm.bits_per_byte");
  const testing::TemporaryFolder first, second;
  draw_figure(drawn, first.path());
  draw_figure(drawn, second.path());
  for (const char* name : {"f.svg", "f.csv", "f.gp"})
    EXPECT_EQ(base::read_file(first / name), base::read_file(second / name)) << name;
  const auto pdf = base::read_file(first / "f.pdf");
  EXPECT_THAT(pdf, StartsWith("%PDF"));
  if (pdf.find("/CreationDate") != std::string::npos) {  // cairo 1.18 compresses it
    EXPECT_EQ(pdf, base::read_file(second / "f.pdf"));
    EXPECT_THAT(pdf, HasSubstr("(D:19700101000000"));
  }
  const auto svg = base::read_file(first / "f.svg");
  EXPECT_THAT(svg, HasSubstr("it's, \"x\"_{y}^2 \\n\\n`id`"));
  EXPECT_THAT(svg, HasSubstr("on this held-out text"));
  EXPECT_FALSE(std::filesystem::exists(first / "f.log"));
}

}  // namespace
}  // namespace assay::report
