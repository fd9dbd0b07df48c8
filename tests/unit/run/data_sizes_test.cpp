// What a plan finds of its data: sizes, copies, shares, each dataset looked at once.
#include "run/data_sizes.h"

#include <gtest/gtest.h>

#include <set>

#include "run/validate.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

struct Sized : TinyRun {
  explicit Sized(const std::string& text, const json& dataset = json::object()) {
    std::ofstream(folder.path() / "text.txt") << text;
    line["train"]["data"]["dataset"].merge_patch(dataset);
  }
  Assembled assembled() const { return Assembled(registry(), line); }
};

TEST(DataSizes, TokensOfAnEpochAreItsTargets) {
  DataSizes sizes;
  const Sized small(made_text(300));
  const auto run = small.assembled();
  const auto& train = sizes.splits(run)[0];
  EXPECT_EQ(sizes.epoch(run).tokens, train.bytes + train.documents);
  EXPECT_FALSE(sizes.epoch(run).estimated);
  small.on_ranks([&](Assembled&, const Mesh&, TrainingData& data) {
    EXPECT_EQ(data.contexts_of(0), (train.bytes + train.documents + 15) / 16);
  });
}

// Of more than 4 MiB a part stands for all; bytes are tokens, so here it gives the number itself.
TEST(DataSizes, LargeTextsAreEstimated) {
  std::string text;
  for (int i = 0; i < 70000; ++i)
    text +=
        "paragraph " + std::to_string(i) + " is about as long as the next one of them, and no longer than it needs\n\n";
  ASSERT_GT(text.size(), 5u << 20);
  const Sized large(text);
  const auto run = large.assembled();
  DataSizes sizes;
  EXPECT_TRUE(sizes.epoch(run).estimated);
  EXPECT_EQ(sizes.epoch(run).tokens, sizes.splits(run)[0].bytes + sizes.splits(run)[0].documents);
}

TEST(DataSizes, CopiesAreCountedBesidesTheirWhiteSpace) {
  std::string text;
  for (int p = 0; p < 90; ++p) text += "words of " + std::to_string(p % 60) + (p < 45 ? "\n\n" : "\n \n\n");
  const Sized twice(text, {{"splits", "documents"}, {"validation_fraction", 0.3}, {"test_fraction", 0.2}});
  const auto run = twice.assembled();
  std::set<std::string> train;
  const auto bare = [](const std::string& document) { return document.substr(0, document.find('\n')); };
  for (int64_t i = 0; i < run.dataset->size(Split::kTrain); ++i)
    train.insert(bare(run.dataset->document(Split::kTrain, i).text));
  DataSizes sizes;
  for (const auto split : {Split::kValidation, Split::kTest}) {
    int64_t copies = 0, bytes = 0;
    for (int64_t i = 0; i < run.dataset->size(split); ++i) {
      const auto document = run.dataset->document(split, i).text;
      if (train.count(bare(document)) == 0) continue;
      ++copies;
      bytes += static_cast<int64_t>(document.size());
    }
    EXPECT_GT(copies, 0);
    EXPECT_EQ(sizes.splits(run)[static_cast<size_t>(split)].copies, copies);
    EXPECT_EQ(sizes.splits(run)[static_cast<size_t>(split)].copied_bytes, bytes);
  }
}

TEST(DataSizes, RunsOfOneDatasetShareWhatWasFound) {
  const Sized tiny(made_text(300));
  DataSizes sizes;
  auto first = tiny.assembled(), second = tiny.assembled();
  EXPECT_EQ(&sizes.splits(first), &sizes.splits(second));
  EXPECT_EQ(&sizes.epoch(first), &sizes.epoch(second));
  const Sized other(made_text(300), {{"document", "file"}});
  EXPECT_NE(&sizes.splits(first), &sizes.splits(other.assembled()));
}

// Every split is looked at that the run uses, and no other.
TEST(DataSizes, OnlySplitsThatAreUsedMustHoldText) {
  Sized tiny(made_text(300), {{"validation_fraction", 0.0}, {"test_fraction", 0.0}});
  EXPECT_EQ(validate(registry(), tiny.line), json::array());
  tiny.line["evaluate"].push_back({{"id", "e"},
                                   {"label", "mine"},
                                   {"every", 0},
                                   {"split", "test"},
                                   {"config", {{"use", "held_out"}, {"length", 8}}}});
  auto findings = validate(registry(), tiny.line);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0]["path"], "evaluate.mine.split");
  EXPECT_NE(findings[0]["message"].dump().find("the split 'test' is empty"), std::string::npos);
  tiny.line["train"]["data"]["dataset"]["test_fraction"] = 0.2;
  EXPECT_EQ(validate(registry(), tiny.line), json::array());
  tiny.line["evaluate"][0]["config"]["length"] = 5000;
  findings = validate(registry(), tiny.line);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0]["path"], "evaluate.mine");
}

}  // namespace
}  // namespace assay::testing
