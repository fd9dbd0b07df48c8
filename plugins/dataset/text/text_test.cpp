// Plain text: no byte is lost, documents follow the rules, and the six novels match the published files.
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "../opened.h"
#include "base/sha256.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Opened open{"text"};

std::vector<std::string> texts(const Dataset& data, Split split) {
  std::vector<std::string> out;
  for (int64_t i = 0; i < data.size(split); ++i) out.push_back(data.document(split, i).text);
  return out;
}

std::string joined(const Dataset& data) {
  std::string all;
  for (const auto split : kSplits)
    for (const auto& text : texts(data, split)) all += text;
  return all;
}

const json kAllTrain{{"validation_fraction", 0.0}, {"test_fraction", 0.0}};
json with(json parameters, const char* document) {
  parameters["document"] = document;
  return parameters;
}

// ---- the novels -----------------------------------------------------------------------------------------------------

std::filesystem::path austen() {
  const char* data = std::getenv("ASSAY_DATA");
  return (data && *data ? std::filesystem::path(data) : source_folder() / ".data") / "austen";
}

class Austen : public ::testing::Test {
  void SetUp() override {
    if (!std::filesystem::exists(austen() / "manifest.json"))
      GTEST_SKIP() << "no corpus in " << austen() << "; scripts/data fetches it (ASSAY_DATA moves it)";
  }
};

TEST_F(Austen, SplitsByNovel) {
  const auto data = open(austen());
  EXPECT_EQ(data->size(Split::kTrain), 4);
  EXPECT_EQ(data->document(Split::kTrain, 0).id, "emma.txt");
  EXPECT_EQ(data->document(Split::kValidation, 0).id, "northangerabbey.txt");
  size_t train = 0;
  for (const auto& text : texts(*data, Split::kTrain)) train += text.size();
  EXPECT_EQ(train, 3124764u);  // 4,025,029 without the other two
  EXPECT_EQ(texts(*data, Split::kValidation).at(0).size(), 433411u);
  EXPECT_EQ(texts(*data, Split::kTest).at(0).size(), 466854u);
  EXPECT_EQ(data->sources().at(0).name, "austen");
  EXPECT_EQ(data->sources().at(0).sha256, "f00d");
  EXPECT_THAT(data->sources().at(0).licence, HasSubstr("public domain"));
}

TEST_F(Austen, ChaptersByNovel) {
  const auto data = open(austen(), {{"document", "chapter"}});
  std::map<std::string, int> chapters;
  std::map<std::string, std::string> novels;
  std::set<std::string> ids;
  for (const auto split : kSplits)
    for (int64_t i = 0; i < data->size(split); ++i) {
      const auto document = data->document(split, i);
      const auto novel = document.id.substr(0, document.id.find('#'));
      ++chapters[novel];
      novels[novel] += document.text;
      EXPECT_TRUE(ids.insert(document.id).second) << document.id << " twice";
    }
  EXPECT_EQ(chapters, (std::map<std::string, int>{{"emma.txt", 55},
                                                  {"mansfieldpark.txt", 48},
                                                  {"prideprejudice.txt", 61},
                                                  {"sensesensibility.txt", 50},
                                                  {"northangerabbey.txt", 31},
                                                  {"persuasion.txt", 24}}));
  EXPECT_EQ(data->size(Split::kTrain), 55 + 48 + 61 + 50);
  EXPECT_EQ(base::sha256(novels["emma.txt"]), "7c67b5985c6d0de1efaeb5d342d52cb82c38083c40e2295129e30e87ee690ebe");
  EXPECT_EQ(base::sha256(novels["northangerabbey.txt"]),
            "51f91bbe0517db8e65cff009b097ce0a1836124c4e0532ac19e6c0cad982abed");
  EXPECT_EQ(base::sha256(novels["persuasion.txt"]), "8061549557aebd2fd6e353d18d9197cb707029112bd52d4d8b174583a925848a");
}

TEST_F(Austen, NoRuleLosesAByte) {
  const auto whole = joined(*open(austen()));
  EXPECT_EQ(whole.size(), 4025029u);
  EXPECT_EQ(joined(*open(austen(), {{"document", "chapter"}})), whole);
  EXPECT_EQ(joined(*open(austen(), {{"document", "paragraph"}})), whole);
}

// ---- rules ----------------------------------------------------------------------------------------------------------

TEST(Text, ChapterLinesStartChaptersInAnyCase) {
  const TemporaryFolder folder;
  const auto file =
      folder.write("a.txt", "TITLE\n\nCHAPTER I\none\nchapters two\n  Chapter no\na chapter no\nChapter\n");
  EXPECT_THAT(texts(*open(file, with(kAllTrain, "chapter")), Split::kTrain),
              ElementsAre("TITLE\n\nCHAPTER I\none\n", "chapters two\n  Chapter no\na chapter no\n", "Chapter\n"));
  const auto none = folder.write("b.txt", "no such line");
  EXPECT_THAT(texts(*open(none, with(kAllTrain, "chapter")), Split::kTrain), ElementsAre("no such line"));
}

TEST(Text, EmptyLinesEndParagraphsAndStayWithThem) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.txt", "\n\none\nmore\n\n \t\r\ntwo\n\nthree");
  const auto data = open(file, with(kAllTrain, "paragraph"));
  EXPECT_THAT(texts(*data, Split::kTrain), ElementsAre("\n\none\nmore\n\n \t\r\n", "two\n\n", "three"));
  EXPECT_EQ(data->document(Split::kTrain, 0).id, "a.txt#1");
  EXPECT_EQ(data->document(Split::kTrain, 2).id, "a.txt#3");
  const auto plain = folder.write("b.txt", "one\n\ntwo\n");
  EXPECT_THAT(texts(*open(plain, with(kAllTrain, "paragraph")), Split::kTrain), ElementsAre("one\n\n", "two\n"));
}

TEST(Text, KeepsAnyBytes) {
  std::string bytes;  // all but 0, which text files do not contain
  for (int i = 0; i < 1024; ++i) bytes.push_back(static_cast<char>(1 + i * 7 % 255));
  const TemporaryFolder folder;
  const auto file = folder.write("a.bin", bytes);
  for (const char* rule : {"file", "chapter", "paragraph"})
    EXPECT_EQ(joined(*open(file, {{"document", rule}})), bytes) << rule;
  EXPECT_EQ(std::set<char>(bytes.begin(), bytes.end()).size(), 255u);
  EXPECT_EQ(joined(*open(folder.write("empty.txt", ""))), "");
  EXPECT_EQ(open(folder / "empty.txt")->size(Split::kTrain), 0);
  EXPECT_EQ(joined(*open(folder.write("blank.txt", "\n\n\n"), {{"document", "paragraph"}})), "\n\n\n");
}

TEST(Text, ASingleFileIsDividedAtLines) {
  const TemporaryFolder folder;
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += std::to_string(i) + "........\n";  // 10 bytes per line
  const auto file = folder.write("a.txt", ten);
  const auto data = open(file, {{"validation_fraction", 0.25}, {"test_fraction", 0.2}});
  EXPECT_THAT(texts(*data, Split::kTrain), ElementsAre(ten.substr(0, 60)));  // byte 55 rounds up to a line
  EXPECT_THAT(texts(*data, Split::kValidation), ElementsAre(ten.substr(60, 20)));
  EXPECT_THAT(texts(*data, Split::kTest), ElementsAre(ten.substr(80)));
  EXPECT_THAT(texts(*open(file, kAllTrain), Split::kTrain), ElementsAre(ten));
  EXPECT_EQ(open(file, kAllTrain)->document(Split::kTrain, 0).id, "a.txt");
  EXPECT_EQ(data->document(Split::kTest, 0).id, "a.txt#3");
  const auto one_line = folder.write("b.txt", "no line break");
  EXPECT_THAT(texts(*open(one_line), Split::kTrain), ElementsAre("no line break"));
  EXPECT_THAT(texts(*open(one_line), Split::kTest), IsEmpty());
}

TEST(Text, AFolderIsDividedAtFiles) {
  const TemporaryFolder folder;
  folder.write("a.txt", std::string(50, 'a'));
  folder.write("b.txt", std::string(20, 'b'));
  folder.write("sub/c.txt", std::string(20, 'c'));
  folder.write("z.txt", std::string(10, 'z'));
  folder.write("readme.md", "not text");
  const auto data = open(folder.path(), {{"validation_fraction", 0.3}, {"test_fraction", 0.1}});
  EXPECT_THAT(texts(*data, Split::kTrain), ElementsAre(std::string(50, 'a'), std::string(20, 'b')));
  EXPECT_THAT(texts(*data, Split::kValidation), ElementsAre(std::string(20, 'c')));
  EXPECT_THAT(texts(*data, Split::kTest), ElementsAre(std::string(10, 'z')));
  EXPECT_EQ(data->document(Split::kValidation, 0).id, "sub/c.txt");

  const TemporaryFolder exact;
  exact.write("a.txt", "aa");
  exact.write("b.txt", "b");
  exact.write("c.txt", "c");
  const auto quarters = open(exact.path(), {{"validation_fraction", 0.25}, {"test_fraction", 0.25}});
  EXPECT_THAT(texts(*quarters, Split::kTrain), ElementsAre("aa"));
  EXPECT_THAT(texts(*quarters, Split::kValidation), ElementsAre("b"));
  EXPECT_THAT(texts(*quarters, Split::kTest), ElementsAre("c"));
}

// Documents are divided one by one: each file is in every split, nothing is lost, and adding text moves no document.
TEST(Text, DocumentsAreDividedAcrossFiles) {
  const TemporaryFolder folder;
  const auto write = [&](const std::string& name, int paragraphs) {
    std::string text;
    for (int p = 0; p < paragraphs; ++p) text += name + " paragraph " + std::to_string(p) + "\n\n";
    folder.write(name, text);
  };
  const json parameters = {
      {"document", "paragraph"}, {"splits", "documents"}, {"validation_fraction", 0.2}, {"test_fraction", 0.3}};
  std::map<std::string, Split> before;
  for (const int paragraphs : {300, 310}) {
    write("a.txt", paragraphs);
    write("b.txt", paragraphs);
    const auto data = open(folder.path(), parameters);
    std::map<std::string, int> counts;
    std::set<std::string> ids;
    for (const auto split : kSplits)
      for (int64_t i = 0; i < data->size(split); ++i) {
        const auto document = data->document(split, i);
        EXPECT_TRUE(ids.insert(document.id).second) << document.id;
        EXPECT_EQ(document.text.substr(0, 5), document.fields.at("file"));
        ++counts[document.fields.at("file") + name_of(split)];
        EXPECT_EQ(split, before.try_emplace(document.id, split).first->second) << document.id;
      }
    EXPECT_EQ(static_cast<int>(ids.size()), 2 * paragraphs);
    for (const std::string file : {"a.txt", "b.txt"}) {
      EXPECT_NEAR(counts[file + "validation"], 0.2 * paragraphs, 4 * std::sqrt(.16 * paragraphs));
      EXPECT_NEAR(counts[file + "test"], 0.3 * paragraphs, 4 * std::sqrt(.21 * paragraphs));
    }
  }
  folder.write("single/one.txt", "x\n\ny\n\nz\n");
  EXPECT_EQ(joined(*open(folder / "single/one.txt", parameters)).size(), 8u);
}

TEST(Text, ManifestDecidesOrderAndSplit) {
  const TemporaryFolder folder;
  folder.write("x.txt", "x");
  folder.write("y.txt", "yy");
  folder.write("z.txt", "zzz");
  folder.write("manifest.json", R"({"name": "xyz", "licence": "none", "files": [{"file": "z.txt", "split": "train"},
      {"file": "x.txt", "split": "train", "bytes": 1}, {"file": "y.txt", "split": "test"}]})");
  const auto data = open(folder.path());
  EXPECT_THAT(texts(*data, Split::kTrain), ElementsAre("zzz", "x"));
  EXPECT_THAT(texts(*data, Split::kTest), ElementsAre("yy"));
  EXPECT_EQ(data->size(Split::kValidation), 0);
  EXPECT_EQ(data->sources().at(0).name, "xyz");
}

TEST(Text, ReportsErrors) {
  const TemporaryFolder folder;
  EXPECT_THAT(open.error(folder / "missing.txt"), HasSubstr("cannot read " + (folder / "missing.txt").string()));
  EXPECT_THAT(open.error(folder.path()), HasSubstr("has neither a manifest.json nor a .txt file"));
  folder.write("a.txt", "abc");
  EXPECT_THAT(open.error(folder / "a.txt", {{"validation_fraction", 0.5}, {"test_fraction", 0.5}}),
              HasSubstr("must be below 1"));
  folder.write("manifest.json", "{\"files\": [{\"file\": \"a.txt\", \"split\": \"training\"}]}");
  EXPECT_THAT(open.error(folder.path()),
              HasSubstr("'a.txt' has the split 'training'; it must be train, validation or test"));
  folder.write("manifest.json", "{\"files\": [{\"file\": \"a.txt\", \"split\": \"train\", \"bytes\": 4}]}");
  EXPECT_THAT(open.error(folder.path()), HasSubstr("has 3 bytes, but its manifest says 4"));
  folder.write("manifest.json", "{\"files\": 3");
  EXPECT_THAT(open.error(folder.path()), HasSubstr("manifest.json is not a valid manifest"));
  folder.write("manifest.json", "{\"files\": [{\"file\": \"a.txt\"}]}");
  EXPECT_THAT(open.error(folder.path()), HasSubstr("manifest.json is not a valid manifest"));
  folder.write("manifest.json", "{\"files\": [{\"file\": \"a.txt\", \"split\": \"train\"}]}");
  const auto data = open(folder.path());
  EXPECT_THROW(data->document(Split::kTrain, 1), UserError);
  EXPECT_THROW(data->document(Split::kTest, 0), UserError);
  EXPECT_THROW(make<Dataset>("text"), UserError);  // path is required
}

}  // namespace
}  // namespace assay::testing
