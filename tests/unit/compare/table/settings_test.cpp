#include "compare/table/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "unit/temporary_folder.h"

namespace assay::compare {
namespace {

const nlohmann::json kWritten = {
    {"compare",
     {{"baseline", {{"optimizer", {{"lr", {{"min", 0.001}}}}}, {"positional", {"alibi", "none"}}}},
      {"metrics", {"lm.bits_per_byte@length=64"}},
      {"equal", {{"train", {{"flops", 0.02}}}}},
      {"tune", {{"over", {"optimizer.lr"}}, {"by", "lm.bits_per_byte@length=64"}}},
      {"report", {{"split", "test"}, {"seeds", "4..6"}}}}},
    {"claim", {{{"says", "s"}, {"metric", "lm.x"}, {"left", {{"positional", "alibi"}}}, {"holds", "left < 2"}}}}};

// Creates results/<experiment> in a temporary folder with this many training records.
struct Folder {
  explicit Folder(int records) {
    for (int i = 0; i < records; ++i) files.write("quick/runs/r" + std::to_string(i) + "/train.json", "{}");
    files.write("quick/plan.jsonl", "");
  }
  record::ExperimentLayout experiment() const { return record::ExperimentLayout(files / "quick"); }
  testing::TemporaryFolder files;
};

TEST(CompareSettings, RoundTrip) {
  const Folder folder(0);
  save_settings(folder.experiment(), study::compare_settings_of(kWritten, "t"));
  const auto settings = read_saved_settings(folder.experiment().compare()).settings;
  EXPECT_EQ(settings.metrics.at(0).name, "lm.bits_per_byte@length=64");
  ASSERT_EQ(settings.baseline->terms.size(), 2u);
  EXPECT_EQ(settings.baseline->terms[0].path, (document::KeyPath{"optimizer", "lr"}));
  EXPECT_EQ(settings.baseline->terms[0].wanted, nlohmann::json({{"min", 0.001}}));
  EXPECT_EQ(settings.baseline->terms[1].path, (document::KeyPath{"model", "positional"}));
  EXPECT_EQ(settings.equal.at(0).name, "train.flops");
  EXPECT_EQ(settings.equal.at(0).tolerance, 0.02);
  EXPECT_EQ(settings.tune->over.at(0).name, "optimizer.lr");
  EXPECT_EQ(settings.tune->split, "validation");
  EXPECT_EQ(settings.report->split, "test");
  EXPECT_EQ(settings.report->seeds, (std::vector<std::int64_t>{4, 5, 6}));
  EXPECT_EQ(settings.claims.at(0).inequality.offset, 2);
  EXPECT_EQ(settings.claims.at(0).hash, study::compare_settings_of(kWritten, "t").claims.at(0).hash);
}

TEST(CompareSettings, AClaimIsStatedWhenAPlanFirstContainsIt) {
  const Folder folder(0);
  const auto first = study::compare_settings_of(kWritten, "t");
  save_settings(folder.experiment(), first);
  folder.files.write("quick/runs/r0/train.json", "{}");
  folder.files.write("quick/runs/r1/train.json", "{}");
  auto changed = kWritten;
  changed["claim"].push_back(changed["claim"][0]);
  changed["claim"][0]["says"] = "the same in other words";
  changed["claim"][1]["holds"] = "left < 1.9";
  const auto second = study::compare_settings_of(changed, "t");
  save_settings(folder.experiment(), second);
  const auto stated = read_saved_settings(folder.experiment().compare()).results_when_stated;
  EXPECT_EQ(second.claims[0].hash, first.claims[0].hash);
  EXPECT_EQ(stated.at(second.claims[0].hash), 0);
  EXPECT_EQ(stated.at(second.claims[1].hash), 2);
}

TEST(CompareSettings, AbsentAndCorruptFiles) {
  const testing::TemporaryFolder folder;
  EXPECT_TRUE(read_saved_settings(folder / "none").settings.metrics.empty());
  EXPECT_FALSE(read_saved_settings(folder.write("a", "{\"stated\":{}}")).settings.baseline);
  for (const char* text : {"", "{}", "[]", "{\"stated\":{},\"compare\":{\"metrics\":[1]}}"})
    EXPECT_THROW(read_saved_settings(folder.write("b", text)), UserError) << text;
}

}  // namespace
}  // namespace assay::compare
