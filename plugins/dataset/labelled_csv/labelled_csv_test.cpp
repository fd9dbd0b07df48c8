// Texts and labels of files in several shapes: which rows are positive, which are left out, what is refused, and the
// figures of the real files.
#include <gmock/gmock.h>

#include <map>

#include "../opened.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const Opened open{"labelled_csv"};

json path_of(const std::filesystem::path& file) { return {{"path", file.string()}, {"sha256", ""}}; }

std::map<std::string, std::string> labels(const Dataset& data) {
  std::map<std::string, std::string> all;
  for (const auto split : kSplits)
    for (int64_t i = 0; i < data.size(split); ++i) {
      const auto document = data.document(split, i);
      all[document.text] = document.fields.at("label");
    }
  return all;
}

TEST(LabelledCsv, ReadsOneColumnOfClasses) {
  TemporaryFolder folder;
  folder.write("a.csv", ",count,class,tweet\n0,3,2,\"x, \"\"y\"\"\nz\"\n1,3,1,b\n4,3,0,c\n5,3,0, \n");
  const auto data = open(folder.path(), {{"text", "tweet"}, {"labels", {"class"}}, {"positive", {"0", "1"}}});
  EXPECT_THAT(labels(*data),
              UnorderedElementsAre(Pair("x, \"y\"\nz", "other"), Pair("b", "toxic"), Pair("c", "toxic")));
  EXPECT_EQ(data->counts().at("rows"), 4);
  EXPECT_EQ(data->counts().at("rows.empty"), 1);
  EXPECT_EQ(data->counts().at("texts.toxic"), 2);
  for (const auto split : kSplits)
    for (int64_t i = 0; i < data->size(split); ++i)
      if (data->document(split, i).text == "b") {
        EXPECT_EQ(data->document(split, i).id, "a.csv:4");
      }
}

// Positive is a row with any positive column; -1 leaves it out.
TEST(LabelledCsv, ReadsSeveralColumnsOfMarks) {
  TemporaryFolder folder;
  folder.write("a.csv", "id,comment_text,toxic,insult\n1,a,0,0\n2,b,0,1\n3,c,1,-1\n4,d,-1,1\n5,e,1,0\n");
  const auto data = open(folder / "a.csv", {{"text", "comment_text"}, {"labels", {"toxic", "insult"}}});
  EXPECT_THAT(labels(*data), UnorderedElementsAre(Pair("a", "other"), Pair("b", "toxic"), Pair("e", "toxic")));
  EXPECT_EQ(data->counts().at("rows.left_out"), 2);
}

TEST(LabelledCsv, ReadsSpansBesideOtherTexts) {
  TemporaryFolder folder;
  folder.write("a.csv", "spans,text\n\"[1, 2]\",bad\n[],fine\n\"[0]\",foul\n");
  folder.write("chat.json", json{{"one", {{"content", {{{"message", "hi"}, {"agent", "x"}}}}}}}.dump());
  folder.write("lines.txt", "first\n\nsecond");
  const json shape{{"text", "text"}, {"labels", {"spans"}}, {"positive", json::array()}, {"left_out", {"[]"}}};
  auto with = shape;
  with["negative"] = {"none"};
  with["others"] = path_of(folder.path());
  const auto data = open(folder / "a.csv", with);
  EXPECT_THAT(labels(*data), UnorderedElementsAre(Pair("bad", "toxic"), Pair("foul", "toxic"), Pair("hi", "other"),
                                                  Pair("first", "other"), Pair("second", "other")));
  EXPECT_EQ(data->counts().at("others"), 4);
  EXPECT_EQ(data->sources().size(), 2u);
}

TEST(LabelledCsv, ReadsFilesWithoutAHeader) {
  TemporaryFolder folder;
  folder.write("a.tsv", "yes\tone\nno\ttwo\n");
  const auto data = open(folder.path(), {{"text", "2"},
                                         {"labels", {"1"}},
                                         {"positive", {"yes"}},
                                         {"negative", {"no"}},
                                         {"header", false},
                                         {"delimiter", "tab"},
                                         {"classes", {"good", "bad"}}});
  EXPECT_THAT(labels(*data), UnorderedElementsAre(Pair("one", "bad"), Pair("two", "good")));
}

TEST(LabelledCsv, EqualTextsAreInOneSplit) {
  TemporaryFolder folder;
  std::string rows = "text,label\n";
  for (int copy = 0; copy < 2; ++copy)
    for (int i = 0; i < 100; ++i) rows += "text " + std::to_string(i) + ",1\n";
  folder.write("a.csv", rows);
  const auto data = open(folder.path(), {{"text", "text"}, {"labels", {"label"}}});
  int64_t all = 0;
  for (const auto split : kSplits) {
    EXPECT_GT(data->size(split), 0);
    EXPECT_EQ(data->size(split) % 2, 0);
    all += data->size(split);
  }
  EXPECT_EQ(all, 200);
}

TEST(LabelledCsv, RefusesWhatItCannotRead) {
  const auto error = [](const std::string& text, const json& parameters = json::object()) {
    TemporaryFolder folder;
    folder.write("a.csv", text);
    json all{{"text", "text"}, {"labels", {"label"}}};
    all.update(parameters);
    return open.error(folder / "a.csv", all);
  };
  EXPECT_THAT(error("text,class\na,1\n"), HasSubstr("a.csv:1: the header has no column 'label'; it has text, class"));
  EXPECT_THAT(error("a,1\n", {{"header", false}, {"text", "3"}}),
              HasSubstr("has no column '3'; without a header a column is a number from 1 to 2"));
  EXPECT_THAT(error("text,label\na,1\nb\n"), HasSubstr("a.csv:3: the row has 1 cells, and the first one has 2"));
  EXPECT_THAT(error("text,label\nsecret,x\n", {{"negative", {"0"}}}),
              AllOf(HasSubstr("a.csv:2:label: the cell is neither positive (1) nor negative (0)"),
                    ::testing::Not(HasSubstr("secret"))));
  EXPECT_THAT(error("text,label\n\"a,1\n"), HasSubstr("a.csv:2:1: a cell begins with a quote that is never closed"));
  EXPECT_THAT(error(""), HasSubstr("a.csv is empty"));
  EXPECT_THAT(error("text,label\na,1\n", {{"classes", {"x", "x"}}}), HasSubstr("give two different names"));
  EXPECT_THAT(error("text,label\na,1\n", {{"positive", json::array()}}), HasSubstr("name the cells that are positive"));
}

// The figures that the README of the data gives.
TEST(LabelledCsv, RealFilesHaveTheirFigures) {
  const char* const data = std::getenv("ASSAY_SHARED_DATA");
  if (!data || !std::filesystem::exists(std::filesystem::path(data) / "toxicity"))
    GTEST_SKIP() << "ASSAY_SHARED_DATA is not set, or has no toxicity";
  const auto folder = std::filesystem::path(data) / "toxicity";
  const auto davidson = open(folder / "davidson_labeled_data.csv",
                             {{"text", "tweet"}, {"labels", {"class"}}, {"positive", {"0", "1"}}, {"negative", {"2"}}});
  EXPECT_EQ(davidson->counts().at("rows"), 24783);
  EXPECT_EQ(davidson->counts().at("texts.toxic"), 1430 + 19190);
  EXPECT_EQ(davidson->counts().at("texts.other"), 4163);
  for (const auto& [file, rows, empty] : {std::tuple{"tsd_train.csv", 7939, 485}, {"tsd_test.csv", 2000, 394}}) {
    const auto spans =
        open(folder / file, {{"text", "text"},
                             {"labels", {"spans"}},
                             {"positive", json::array()},
                             {"negative", {"none"}},
                             {"left_out", {"[]"}},
                             {"others", path_of(folder.parent_path() / "dialogue" / "valid_freq.json")}});
    EXPECT_EQ(spans->counts().at("rows"), rows);
    EXPECT_EQ(spans->counts().at("rows.left_out"), empty);
    EXPECT_EQ(spans->counts().at("texts.toxic"), rows - empty);
    EXPECT_EQ(spans->counts().at("others"), 11681);
  }
}

}  // namespace
}  // namespace assay::testing
