#include "compare/results/run_diff.h"

#include <gmock/gmock.h>

#include "record/plan_line/plan_lines.h"
#include "unit/compare/results_builder.h"

namespace assay::compare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ResultsBuilder;

std::vector<std::string> texts_of(const std::vector<RunDifference>& differences) {
  std::vector<std::string> lines;
  for (const auto& one : differences) lines.push_back(one.part + " " + one.key + ": " + one.a + " | " + one.b);
  return lines;
}

TEST(RunDiff, ListsExactlyWhatDiffers) {
  ResultsBuilder results;
  results.finished({.scheme = "a", .seed = 1}, {{64, 2.0}});
  results.finished({.scheme = "a", .seed = 2, .training_code = "other", .host = "h2"}, {{64, 2.5}, {512, 3.0}});
  auto lines = record::read_plan_lines(results.experiment().plan());
  for (auto& line : lines) line.train.model = {{"positional", {{"use", "a"}}}, {"width", 64}};
  lines[1].train.model["width"] = 96;
  lines[1].train.seeds.init = 2;
  const auto found =
      run_differences(lines[0], results.experiment().run("a1"), lines[1], results.experiment().run("a2"));
  EXPECT_THAT(texts_of(found), ElementsAre("configuration model.width: 64 | 96", "configuration seeds.init: 1 | 2",
                                           "code training library: c0de000000000001 | other",
                                           "metrics lm.bits_per_byte@length=512: - | 3",
                                           "metrics lm.bits_per_byte@length=64: 2.0 | 2.5", "measured host: h1 | h2"));
  EXPECT_EQ(found[4].difference, 0.5);
  EXPECT_THAT(run_differences(lines[0], results.experiment().run("a1"), lines[0], results.experiment().run("a1")),
              IsEmpty());
}

}  // namespace
}  // namespace assay::compare
