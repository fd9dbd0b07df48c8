#include "record/staleness.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "record/build_id.h"
#include "unit/plan_line.h"
#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

using nlohmann::json;

json record(const std::string& training, const std::string& plugin) {
  return {{"code", {{"training", training}, {"plugins", {{"positional/alibi", {{"build_id", plugin}}}}}}}};
}

PlanLine line(const std::string& plugin, const std::string& evaluator = "e1") {
  return testing::plan_line({{"plugins",
                              {{"positional/alibi", {{"build_id", plugin}, {"roles", {"train"}}}},
                               {"evaluator/lm", {{"build_id", evaluator}, {"roles", {"evaluate"}}}}}}});
}

class Staleness : public ::testing::Test {
 protected:
  std::string stale(const json& of, const PlanLine& plan_line, const std::string& current) const {
    return freshness(of, run_, plan_line, current).stale;
  }

  testing::TemporaryFolder folder_;
  RunLayout run_{folder_.path()};
};

TEST_F(Staleness, NamesTheCodeThatDiffers) {
  EXPECT_EQ(stale(record("t1", "a1"), line("a1"), "t1"), "");
  EXPECT_EQ(stale(record("t1", "a1"), line("a1"), "t2"), "training library");
  EXPECT_EQ(stale(record("t1", "a1"), line("a2"), "t1"), "positional/alibi");
  EXPECT_EQ(stale(record("t1", "a1"), line("a2"), "t2"), "training library, positional/alibi");
  EXPECT_EQ(stale(record("t1", "a1"), line("a1"), ""), "");  // the current library is unknown
}

// Another build of an evaluator makes its evaluations stale, but not the training.
TEST_F(Staleness, OfAnEvaluationDependsOnItsOwnCodeAlone) {
  EXPECT_EQ(stale(record("t1", "a1"), line("a1", "e2"), "t1"), "");
  const json evaluation = {{"code", {{"evaluator", {{"evaluator/lm", {{"build_id", "e1"}}}}}}}};
  EXPECT_EQ(stale(evaluation, line("a2", "e1"), "t2"), "");
  EXPECT_EQ(stale(evaluation, line("a1", "e2"), "t1"), "evaluator/lm");
}

// Evaluations depend on the library, too; a replay of the training shows that another build gives the same bits.
TEST_F(Staleness, OfAnEvaluationDependsOnTheLibraryThatMadeIt) {
  const json evaluation = {{"code", {{"evaluator", json::object()}, {"library", "t1"}}}};
  EXPECT_EQ(stale(evaluation, line("a1"), "t1"), "");
  EXPECT_EQ(stale(evaluation, line("a1"), ""), "");
  EXPECT_EQ(stale(evaluation, line("a1"), "t2"), "evaluation library");
  accept_code(record("t1", "a1"), run_, line("a1"), "t2", 50);
  EXPECT_EQ(stale(evaluation, line("a1"), "t2"), "");
  EXPECT_EQ(freshness(evaluation, run_, line("a1"), "t2").accepted_to, 50);
  EXPECT_EQ(stale(evaluation, line("a1"), "t3"), "evaluation library");
}

TEST_F(Staleness, AReplayIsValidOnlyForItsOwnCode) {
  accept_code(record("t1", "a1"), run_, line("a2"), "t2", 50);
  const auto accepted = freshness(record("t1", "a1"), run_, line("a2"), "t2");
  EXPECT_EQ(accepted.stale, "");
  EXPECT_EQ(accepted.accepted_to, 50);
  EXPECT_NE(freshness(record("t0", "a1"), run_, line("a2"), "t2").stale, "");  // no replay covers that code
  EXPECT_EQ(stale(record("t1", "a1"), line("a2"), "t3"), "training library, positional/alibi");
  EXPECT_EQ(stale(record("t1", "a1"), line("a3"), "t2"), "training library, positional/alibi");
  EXPECT_EQ(freshness(record("t2", "a2"), run_, line("a2"), "t2").accepted_to, 0);  // its own code: no replay is needed
  accept_code(record("t1", "a1"), run_, line("a2"), "t3", 20);
  EXPECT_EQ(freshness(record("t1", "a1"), run_, line("a2"), "t2").accepted_to, 50);
  EXPECT_EQ(freshness(record("t1", "a1"), run_, line("a2"), "t3").accepted_to, 20);
}

// A finished run is as stale as the stalest of its records.
TEST_F(Staleness, OfARunDependsOnAllOfItsRecords) {
  auto planned = line("a1", "e1");
  planned.evaluate = {{.label = "lm", .id = "v", .config = {}, .split = {}}};
  const auto write = [&](const std::string& plugin, const std::string& evaluator) {
    folder_.write("train.json", record("t1", plugin).dump());
    const json evaluation = {{"code", {{"evaluator", {{"evaluator/lm", {{"build_id", evaluator}}}}}}}};
    folder_.write("eval/v.json", evaluation.dump());
  };
  write("a1", "e1");
  EXPECT_FALSE(is_stale(planned, run_, "t1"));
  EXPECT_TRUE(is_stale(planned, run_, "t2"));
  write("a1", "e2");
  EXPECT_TRUE(is_stale(planned, run_, "t1"));
  write("a2", "e1");
  EXPECT_TRUE(is_stale(planned, run_, "t1"));
  folder_.write("train.json", "torn");
  EXPECT_FALSE(is_stale(planned, run_, "t1"));  // unreadable files are not counted as stale
}

// A plugin that was rebuilt after planning is other code than the plan's.
TEST_F(Staleness, UsesTheCurrentFiles) {
  namespace fs = std::filesystem;
  const fs::path built = fs::path(std::getenv("ASSAY_BIN_DIR")).parent_path() / "lib";
  const auto file = folder_ / "alibi.so";
  fs::copy_file(built / "libassay_lab.so", file);
  const auto before = build_id_of_file(file), after = build_id_of_file("/proc/self/exe");
  ASSERT_NE(before, after);
  auto planned = line(before);
  planned.plugins["positional/alibi"].file = file.string();
  planned.plugins["evaluator/lm"].file = (folder_ / "gone.so").string();
  EXPECT_EQ(with_current_code({planned}).at(0).to_json(), planned.to_json());
  EXPECT_EQ(stale(record("t1", before), with_current_code({planned}).at(0), "t1"), "");
  fs::copy_file("/proc/self/exe", file, fs::copy_options::overwrite_existing);
  auto now = with_current_code({planned}).at(0);
  EXPECT_EQ(now.plugins["positional/alibi"].build_id, after);
  EXPECT_EQ(now.plugins["evaluator/lm"].build_id, "e1");  // the plan's value is used for a missing file
  EXPECT_EQ(stale(record("t1", before), now, "t1"), "positional/alibi");
  folder_.write("train.json", record("t1", before).dump());
  EXPECT_EQ(stale_code(planned, run_, "t2"), "training library");
  EXPECT_EQ(stale_code(now, run_, "t2"), "training library, positional/alibi");
}

// An evaluation is stale, too, when the run that it used is trained again to other weights.
TEST_F(Staleness, OfAnEvaluationDependsOnTheWeightsThatItUsed) {
  const json judge = {
      {"experiment", "judges"}, {"train_id", "j"}, {"path", (folder_.path() / "j").string()}, {"sha256", "w1"}};
  const json evaluation = {{"code", {{"evaluator", json::object()}}}, {"config", {{"judge", judge}}}};
  EXPECT_EQ(stale(evaluation, line("a1"), "t1"), "");  // the other run is missing: not counted as stale
  folder_.write("j/train.json", R"({"weights_sha256": "w1"})");
  EXPECT_EQ(stale(evaluation, line("a1"), "t1"), "");
  folder_.write("j/train.json", R"({"weights_sha256": "w2"})");
  EXPECT_EQ(stale(evaluation, line("a1"), "t1"), "weights of judges");
}

}  // namespace
}  // namespace assay::record
