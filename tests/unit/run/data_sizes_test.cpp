// A plan's findings about its data: sizes, copies, fractions; each dataset is read once.
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
  run::Assembled assembled() const { return run::Assembled(registry(), planned()); }
};

TEST(DataSizes, TheTokensOfAnEpochAreItsTargets) {
  run::DataSizes sizes;
  const Sized small(made_text(300));
  const auto run = small.assembled();
  const auto& train = sizes.splits(run)[0];
  EXPECT_EQ(sizes.epoch(run).tokens, train.bytes + train.documents);
  EXPECT_FALSE(sizes.epoch(run).estimated);
  small.on_ranks([&](run::Assembled&, const Mesh&, data::TrainingData& data) {
    EXPECT_EQ(data.contexts_of(0), (train.bytes + train.documents + 15) / 16);
  });
}

// A text of more than 4 MiB is estimated from a sample; with bytes as tokens the estimate is exact.
TEST(DataSizes, LargeTextsAreEstimated) {
  std::string text;
  for (int i = 0; i < 70000; ++i)
    text +=
        "paragraph " + std::to_string(i) + " is about as long as the next one of them, and no longer than it needs\n\n";
  ASSERT_GT(text.size(), 5u << 20);
  const Sized large(text);
  const auto run = large.assembled();
  run::DataSizes sizes;
  EXPECT_TRUE(sizes.epoch(run).estimated);
  EXPECT_EQ(sizes.epoch(run).tokens, sizes.splits(run)[0].bytes + sizes.splits(run)[0].documents);
}

// One token per word. It refuses pieces that begin or end inside a UTF-8 character.
class Words final : public Tokenizer {
 public:
  std::vector<int32_t> encode(std::string_view text) const override {
    const auto is_inside = [](char c) { return (c & 0xC0) == 0x80; };
    if (!text.empty() && is_inside(text.front())) throw UserError("the text begins inside a character");
    if (!text.empty() && (text.back() & 0xC0) == 0xC0) throw UserError("the text ends inside a character");
    return std::vector<int32_t>(static_cast<size_t>(std::count(text.begin(), text.end(), ' ')), 0);
  }
  std::string decode(const std::vector<int32_t>&) const override { return ""; }
  int64_t size() const override { return 1; }
};

// Words become longer along the text, so a sample from its beginning alone would overestimate the number of tokens. The
// longest words have 38 characters of two bytes.
TEST(DataSizes, LargeTextsAreEstimatedFromAllOfTheirParts) {
  std::string text;
  constexpr int kLines = 40000;
  for (int i = 0; i < kLines; ++i) {
    for (int word = 0; word < 4; ++word) {
      for (int letter = 0; letter < 1 + i / 1066; ++letter) text += "\xc3\xa9";
      text += ' ';
    }
    text += '\n';
  }
  const Sized large(text);
  auto run = large.assembled();
  Words words;
  run.tokenizer = &words;
  run::DataSizes sizes;
  const auto& train = sizes.splits(run)[0];
  ASSERT_GT(train.bytes, 4 << 20);
  EXPECT_TRUE(sizes.epoch(run).estimated);
  int64_t exact = 0;
  for (int64_t i = 0; i < train.documents; ++i)
    exact += static_cast<int64_t>(words.encode(run.dataset->document(Split::kTrain, i).text).size()) + 1;
  EXPECT_NEAR(static_cast<double>(sizes.epoch(run).tokens), static_cast<double>(exact),
              0.03 * static_cast<double>(exact));
}

TEST(DataSizes, TokenizersShareTheSizesOfADataset) {
  const Sized tiny(made_text(300));
  run::DataSizes sizes;
  auto first = tiny.assembled(), second = tiny.assembled();
  second.data_config += " another tokenizer";
  EXPECT_EQ(&sizes.splits(first), &sizes.splits(second));
  EXPECT_NE(&sizes.epoch(first), &sizes.epoch(second));
}

TEST(DataSizes, CopiesMayDifferInLineEndings) {
  std::string text;
  for (int p = 0; p < 90; ++p)
    text += "words\nof " + std::to_string(p) + "\n\nwords\r\nof " + std::to_string(p) + "\r\n\r\n";
  const json divided{{"validation_fraction", 0.3}, {"test_fraction", 0.2}};
  const auto copies = [&](const char* rule) {
    auto dataset = divided;
    dataset["splits"] = rule;
    const Sized twice(text, dataset);
    run::DataSizes sizes;
    return sizes.splits(twice.assembled())[1].copies;
  };
  EXPECT_GT(copies("documents"), 0);
  EXPECT_EQ(copies("texts"), 0);
}

// Returns the errors and the notes of a plan for files of these sizes, in this order.
std::pair<std::string, std::string> far_shares(const std::vector<size_t>& files, const json& dataset) {
  const TemporaryFolder folder;
  for (size_t i = 0; i < files.size(); ++i)
    folder.write(std::string(1, static_cast<char>('a' + i)) + ".txt", std::string(files[i] - 1, 'x') + "\n");
  Sized run("", dataset);
  run.line["train"]["data"]["dataset"]["path"] = folder.path().string();
  const auto assembled = run.assembled();
  run::DataSizes sizes;
  std::pair<std::string, std::string> found;
  for (const auto& [path, message] : run::data_faults(assembled, sizes)) found.first += message + "\n";
  for (const auto& note : run::data_notes(assembled, sizes)) found.second += note + "\n";
  return found;
}

// A run that uses the training split alone.
TEST(DataSizes, FractionsFarFromTheRequestedAreRefusedWhereTheyCouldBeNearer) {
  const auto asked = [](double validation) {
    return json{{"document", "file"}, {"validation_fraction", validation}, {"test_fraction", 0.0}};
  };
  using Both = std::pair<std::string, std::string>;
  EXPECT_EQ(far_shares({100, 100}, asked(0.4)), (Both{"", ""}));
  EXPECT_EQ(far_shares({1000, 12000, 8000}, asked(0.95)), (Both{"", ""}));  // 4.8% of 5%
  // Two files, one of which is needed for training: nothing is nearer than 50%.
  EXPECT_EQ(far_shares({100, 100}, asked(0.9)), (Both{"",
                                                      "data.dataset: the split 'train' has 50% of the bytes, but 10% "
                                                      "is requested; with so few documents, no division is closer\n"}));
  // Lines of paragraphs: each of the two files has several documents, which could be divided.
  auto by_paragraph = asked(0.9);
  by_paragraph["document"] = "paragraph";
  const TemporaryFolder folder;
  for (const auto* name : {"a.txt", "b.txt"}) folder.write(name, "one\n\ntwo\n\nthree\n");
  Sized run("", by_paragraph);
  run.line["train"]["data"]["dataset"]["path"] = folder.path().string();
  const auto assembled = run.assembled();
  run::DataSizes sizes;
  const auto faults = run::data_faults(assembled, sizes);
  ASSERT_FALSE(faults.empty());
  EXPECT_NE(faults.back().second.find("the split 'train' has 50% of the bytes, but 10% is requested; a share must not "
                                      "be more than three times or less than a third of the requested one"),
            std::string::npos);
}

TEST(DataSizes, CopiesAreDetectedWithoutTheirWhitespace) {
  std::string text;
  for (int p = 0; p < 90; ++p) text += "words of " + std::to_string(p % 60) + (p < 45 ? "\n\n" : "\n \n\n");
  const Sized twice(text, {{"splits", "documents"}, {"validation_fraction", 0.3}, {"test_fraction", 0.2}});
  const auto run = twice.assembled();
  std::set<std::string> train;
  const auto bare = [](const std::string& document) { return document.substr(0, document.find('\n')); };
  for (int64_t i = 0; i < run.dataset->size(Split::kTrain); ++i)
    train.insert(bare(run.dataset->document(Split::kTrain, i).text));
  run::DataSizes sizes;
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

TEST(DataSizes, RunsOfOneDatasetShareItsFindings) {
  const Sized tiny(made_text(300));
  run::DataSizes sizes;
  auto first = tiny.assembled(), second = tiny.assembled();
  EXPECT_EQ(&sizes.splits(first), &sizes.splits(second));
  EXPECT_EQ(&sizes.epoch(first), &sizes.epoch(second));
  const Sized other(made_text(300), {{"document", "file"}});
  EXPECT_NE(&sizes.splits(first), &sizes.splits(other.assembled()));
}

// Every split that the run uses is read, and no other.
TEST(DataSizes, OnlyUsedSplitsMustHaveText) {
  Sized tiny(made_text(300), {{"validation_fraction", 0.0}, {"test_fraction", 0.0}});
  EXPECT_EQ(run::validate(registry(), tiny.planned()), json::array());
  tiny.line["evaluate"].push_back({{"id", "e"},
                                   {"label", "mine"},
                                   {"every", 0},
                                   {"split", "test"},
                                   {"config", {{"use", "held_out"}, {"length", 8}}}});
  auto findings = run::validate(registry(), tiny.planned());
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0]["path"], "evaluate.mine.split");
  EXPECT_NE(findings[0]["message"].dump().find("the split 'test' is empty"), std::string::npos);
  tiny.line["train"]["data"]["dataset"]["test_fraction"] = 0.2;
  EXPECT_EQ(run::validate(registry(), tiny.planned()), json::array());
  tiny.line["evaluate"][0]["config"]["length"] = 5000;
  findings = run::validate(registry(), tiny.planned());
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0]["path"], "evaluate.mine");
}

}  // namespace
}  // namespace assay::testing
