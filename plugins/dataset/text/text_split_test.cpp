// Splits of files and lines: sizes nearest to the fractions, none empty where there are enough pieces, copies in the
// same split; and files that are not text.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "../file_borders.h"
#include "../opened.h"
#include "assay/random.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Opened open{"text"};

// The bytes of train, validation and test for a folder of files of these sizes, in this order.
std::vector<size_t> divided(const std::vector<size_t>& sizes, double validation, double test) {
  const TemporaryFolder folder;
  for (size_t i = 0; i < sizes.size(); ++i)
    folder.write(std::string(1, static_cast<char>('a' + i)) + ".txt", std::string(sizes[i], 'x'));
  const auto data = open(folder.path(), {{"validation_fraction", validation}, {"test_fraction", test}});
  std::vector<size_t> bytes;
  for (const auto split : kSplits) {
    bytes.push_back(0);
    for (int64_t i = 0; i < data->size(split); ++i) bytes.back() += data->document(split, i).text.size();
  }
  return bytes;
}

TEST(TextSplits, ComeNearestToTheFractionsAndAreNotEmpty) {
  EXPECT_THAT(divided({10, 10, 10, 10, 10}, 0.1, 0.1), ElementsAre(30, 10, 10));
  EXPECT_THAT(divided({10, 10, 10}, 0.1, 0.1), ElementsAre(10, 10, 10));
  EXPECT_THAT(divided({10, 10}, 0.1, 0), ElementsAre(10, 10, 0));
  EXPECT_THAT(divided({10, 10}, 0, 0.3), ElementsAre(10, 0, 10));
  EXPECT_THAT(divided({1, 12, 8}, 0.95, 0), ElementsAre(1, 20, 0));  // 95.2%, the nearest to 95%
  EXPECT_THAT(divided({100, 1, 1}, 0.1, 0.1), ElementsAre(100, 1, 1));
  EXPECT_THAT(divided({1, 1, 100}, 0.1, 0.1), ElementsAre(1, 1, 100));
  EXPECT_THAT(divided({30, 30, 10, 20, 10}, 0.3, 0.1), ElementsAre(60, 30, 10));
  EXPECT_THAT(divided({30, 0, 30, 0, 10, 20, 0, 10}, 0.3, 0.1), ElementsAre(60, 30, 10));
  EXPECT_THAT(divided({10, 10, 10, 10}, 0, 0), ElementsAre(40, 0, 0));
  // There are fewer files than splits: they are never all in one, and a plan refuses the empty split if it is used.
  EXPECT_THAT(divided({10, 10}, 0.1, 0.1), ElementsAre(10, 10, 0));
  EXPECT_THAT(divided({10, 10}, 0.1, 0.2), ElementsAre(10, 0, 10));
  EXPECT_THAT(divided({10, 10}, 0.4, 0.2), ElementsAre(10, 10, 0));
  EXPECT_THAT(divided({1, 100}, 0.01, 0.01), ElementsAre(1, 100, 0));
  EXPECT_THAT(divided({10, 0}, 0.1, 0.1), ElementsAre(10, 0, 0));
}

TEST(TextSplits, OfAFileEndAtTheNearestLine) {
  const TemporaryFolder folder;
  const auto bytes = [&](const std::string& text) {
    const auto data = open(folder.write("a.txt", text));
    std::vector<size_t> out;
    for (const auto split : kSplits) out.push_back(data->size(split) ? data->document(split, 0).text.size() : 0);
    return out;
  };
  EXPECT_THAT(bytes("one line.\nanother..\nand more.\n"), ElementsAre(10, 10, 10));
  EXPECT_THAT(bytes(std::string(70, 'a') + "\n" + std::string(19, 'b') + "\n" + std::string(8, 'c') + "\n"),
              ElementsAre(71, 20, 9));
}

// The distance to the fractions is minimal, compared with all ways to divide the file.
TEST(TextSplits, NoOtherBordersAreNearer) {
  const Draws draws(1, "sizes");
  for (uint64_t n = 0; n < 200; ++n) {
    std::vector<size_t> ends;
    size_t total = 0;
    for (uint64_t i = 0; i < 3 + draws.below(6, 100 * n); ++i)
      ends.push_back(total += 1 + draws.below(40, 100 * n + 1 + i));
    const double validation = 0.05 + 0.4 * draws.uniform(100 * n + 50), test = 0.05 + 0.4 * draws.uniform(100 * n + 51);
    const auto off = [&](size_t first, size_t second) {
      const auto all = static_cast<double>(total);
      return std::abs(static_cast<double>(first) - (1 - validation - test) * all) +
             std::abs(static_cast<double>(second) - (1 - test) * all);
    };
    double least = 1e9;
    for (size_t i = 0; i + 2 < ends.size(); ++i)
      for (size_t j = i + 1; j + 1 < ends.size(); ++j) least = std::min(least, off(ends[i], ends[j]));
    const auto cuts = dataset::nearest_cuts(ends, validation, test);
    EXPECT_LT(cuts.validation, cuts.test);
    EXPECT_LT(cuts.test, total);
    EXPECT_NEAR(off(cuts.validation, cuts.test), least, 1e-6) << n;
  }
}

TEST(TextSplits, CopiesOfATextAreInTheSameSplit) {
  const TemporaryFolder folder;
  std::string twice;
  for (int p = 0; p < 200; ++p) twice += "paragraph " + std::to_string(p % 100) + (p < 100 ? "\n\n" : "\n \n\n");
  const auto file = folder.write("a.txt", twice);
  const auto shared = [&](const char* rule) {
    const auto data = open(file, {{"document", "paragraph"}, {"splits", rule}, {"validation_fraction", 0.3}});
    std::map<std::string, std::set<Split>> splits;
    int64_t documents = 0;
    for (const auto split : kSplits)
      for (int64_t i = 0; i < data->size(split); ++i, ++documents)
        splits[std::string(content_of(data->document(split, i).text))].insert(split);
    EXPECT_EQ(documents, 200);
    EXPECT_EQ(splits.size(), 100u);
    EXPECT_TRUE(data->fractions()->of_documents);
    return std::count_if(splits.begin(), splits.end(), [](const auto& text) { return text.second.size() > 1; });
  };
  EXPECT_EQ(shared("texts"), 0);
  EXPECT_GT(shared("documents"), 20);
}

TEST(TextSplits, ReportTheGivenFractions) {
  const TemporaryFolder folder;
  const auto file = folder.write("a.txt", "a\nb\n");
  const auto asked = open(file, {{"validation_fraction", 0.3}, {"test_fraction", 0.2}})->fractions();
  ASSERT_TRUE(asked);
  EXPECT_EQ(std::tuple(asked->validation, asked->test, asked->of_documents), std::tuple(0.3, 0.2, false));
  folder.write("manifest.json", R"({"files": [{"file": "a.txt", "split": "train"}]})");
  EXPECT_FALSE(open(folder.path())->fractions());
  EXPECT_TRUE(open(folder.path(), {{"splits", "documents"}})->fractions());
}

TEST(TextContent, OtherContentIsRefusedUnderAnyName) {
  using namespace std::string_literals;
  const std::pair<std::string, const char*> contents[] = {
      {"{\"text\": \"one\"}\n{\"text\": \"two\"}\n", "is JSON lines; extract its text"},
      {"\xef\xbb\xbf{\"text\": 1}\n\n{\"text\": 2}", "is JSON lines"},
      {"{\"text\": \"one\"}\n", "is JSON; extract its text"},
      {"[\n  {\"text\": \"one\"},\n  {\"text\": \"two\"}\n]\n", "is JSON"},
      {"[1]\n[2]\n", "is JSON lines"},
      {"[\"a\", 1]\n\n[\"b\", 2]\n[\"c\", 3]", "is JSON lines"},
      {"{\"text\": \"one\"}\n{\"text\": \"tw", "is JSON lines"},
      {"{\"text\": \"one\"}\r\n{\"text\":\r\n{\"text\": \"three\"}\r\n", "is JSON lines"},
      {"# one record a line\n// of words\n{\"text\": \"one\"}\n{\"text\": \"two\"}\n", "is JSON lines"},
      {"text, as records\n{\"text\": \"one\"}\n{\"text\": \"two\"}\n", "is JSON lines"},
      {"[1]\n[2]\n[3]\n[4]\n[5]\nbroken\n[7]\n[8]\n", "is JSON lines"},
      {"PAR1\x15\x04 and more PAR1", "is a Parquet file; extract its text to a .txt file"},
      {"\x1f\x8b\x08 packed", "is compressed by gzip"},
      {"BZh91AY&SY packed", "is compressed by bzip2"},
      {"\x28\xb5\x2f\xfd packed", "is compressed by zstd"},
      {"PK\x03\x04 packed", "is a zip archive"},
      {"%PDF-1.7\n", "is a PDF"},
      {"\xff\xfeo\0n\0e\0"s, "is text in UTF-16; convert it to UTF-8"},
      {"some text\0and more"s, "is a binary file, for it contains zero bytes"}};
  for (const auto& [content, message] : contents) {
    const TemporaryFolder folder;
    const auto file = folder.write("plain/data.txt", content);
    folder.write("corpus/data.txt", content);
    folder.write("corpus/manifest.json", R"({"files": [{"file": "data.txt", "split": "train"}]})");
    EXPECT_THAT(open.error(file), HasSubstr(file.string() + " " + message));
    EXPECT_THAT(open.error(folder / "plain"), HasSubstr(message));
    EXPECT_THAT(open.error(folder / "corpus"), HasSubstr(message));
  }
}

TEST(TextContent, TextThatBeginsLikeSomethingElseIsText) {
  const TemporaryFolder folder;
  for (const std::string text :
       {"{ braces } and words\n", "[1] A footnote.\n[2] Another.\n", "[1]\nA footnote.\n[2]\nAnother.\n",
        "As in\n{\"a\": 1}\n{\"a\": 2}\nrecords may be lines.\n", "One.\nTwo.\n{\"a\": 1}\n{\"a\": 2}\n",
        "# A heading\n{\"a\": 1}\nis a record.\n", "[An aside]\n[Another]\n", "[\n[\n",
        "{\"a\": 1}\nis how JSON begins.\n", "PARTS\n", "BZh\n", "\xef\xbb\xbfwith a byte order mark\n",
        "caf\xe9 in Latin-1\n", "12\n13\n", "\"quoted\"\n\"lines\"\n", "{", "\n\n"})
    EXPECT_EQ(open.error(folder.write("data.txt", text)), "no error") << text;
}

}  // namespace
}  // namespace assay::testing
