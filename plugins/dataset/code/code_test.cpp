// Source files as documents: which files are read, the split that each path decides, and no duplicate texts.
#include <gmock/gmock.h>

#include <map>

#include "../opened.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Opened open{"code"};

// Id to text and split.
std::map<std::string, std::pair<std::string, Split>> documents(const Dataset& data) {
  std::map<std::string, std::pair<std::string, Split>> all;
  for (const auto split : kSplits)
    for (int64_t i = 0; i < data.size(split); ++i) {
      const auto document = data.document(split, i);
      EXPECT_TRUE(all.emplace(document.id, std::pair{document.text, split}).second) << document.id;
    }
  return all;
}

std::vector<std::string> names(const Dataset& data) {
  std::vector<std::string> all;
  for (const auto& [id, document] : documents(data)) all.push_back(id);
  return all;
}

TEST(Code, ReadsSourcesBelowAFolder) {
  const TemporaryFolder folder;
  for (const auto* file : {"b/z.py", "a.py", "b/tests/t.py", "b/notes.txt", ".git/hook.py", "c/d.pyx"}) {
    std::filesystem::create_directories((folder / file).parent_path());
    folder.write(file, std::string("# ") + file + "\n");
  }
  folder.write("copy.py", "# a.py\n");
  folder.write("empty.py", "");
  EXPECT_THAT(names(*open(folder.path())), ElementsAre("a.py", "b/z.py"));
  EXPECT_THAT(names(*open(folder.path(), {{"endings", {".py", ".pyx"}}, {"without", json::array()}})),
              ElementsAre("a.py", "b/tests/t.py", "b/z.py", "c/d.pyx"));
  EXPECT_EQ(documents(*open(folder.path())).at("b/z.py").first, "# b/z.py\n");
}

// Values in [0, 1) of these paths, from FNV-1a and splitmix64's finaliser, computed independently.
TEST(Code, APathDecidesTheSplit) {
  const TemporaryFolder folder;
  for (const auto* file : {"words.py", "lists.py", "heap.py", "queue.py"}) folder.write(file, file);
  const auto split_of = [&](const char* file, double test, double validation) {
    return documents(*open(folder.path(), {{"test_fraction", test}, {"validation_fraction", validation}}))
        .at(file)
        .second;
  };
  EXPECT_EQ(split_of("words.py", 0.023, 0.5), Split::kTest);  // 0.022744
  EXPECT_EQ(split_of("words.py", 0.022, 0.5), Split::kValidation);
  EXPECT_EQ(split_of("lists.py", 0.1, 0.2108), Split::kValidation);  // 0.310722
  EXPECT_EQ(split_of("lists.py", 0.1, 0.2107), Split::kTrain);
  EXPECT_EQ(split_of("queue.py", 0.1, 0.66), Split::kTrain);  // 0.761860
  EXPECT_EQ(split_of("heap.py", 0.0, 0.5), Split::kValidation);
}

TEST(Code, NamesItsSource) {
  const TemporaryFolder folder;
  folder.write("a.py", "x");
  EXPECT_EQ(open(folder.path())->sources().at(0).name, folder.path().filename().string());
  folder.write("manifest.json", R"({"name": "lib", "licence": "free", "files": []})");
  EXPECT_EQ(open(folder.path())->sources().at(0).name, "lib");
  EXPECT_EQ(open(folder.path())->sources().at(0).licence, "free");
}

TEST(Code, ReportsErrors) {
  const TemporaryFolder folder;
  EXPECT_THAT(open.error(folder.path()), HasSubstr("no file that ends in .py; check endings and without"));
  EXPECT_THAT(open.error(folder / "none"), HasSubstr("is not a folder"));
  folder.write("a.py", "x");
  EXPECT_THAT(open.error(folder.path(), {{"test_fraction", 0.5}, {"validation_fraction", 0.5}}),
              HasSubstr("must be below 1"));
  folder.write("manifest.json", "{");
  EXPECT_THAT(open.error(folder.path()), HasSubstr("is not a valid manifest"));
}

TEST(Code, BinaryFilesAreRefusedAndJsonIsRead) {
  using namespace std::string_literals;
  const std::pair<std::string, const char*> contents[] = {
      {"PAR1\x15\x04 and more", "is a Parquet file; extract its text to a .txt file, or leave it out with 'endings'"},
      {"\x1f\x8b\x08 packed", "is compressed by gzip"},
      {"\xff\xfeo\0n\0e\0"s, "is text in UTF-16; convert it to UTF-8"},
      {"x = 1\0"s, "is a binary file, for it contains zero bytes"},
      {"{\"a\": 1}\n{\"a\": 2}\n", "no error"}};
  for (const auto& [content, message] : contents) {
    const TemporaryFolder folder;
    folder.write("data.py", content);
    EXPECT_THAT(open.error(folder.path()), HasSubstr(message));
  }
}

// Regardless of the splits of their paths.
TEST(Code, EqualFilesAreReadOnce) {
  const TemporaryFolder folder;
  for (int i = 0; i < 40; ++i) folder.write(std::to_string(i) + ".py", "x = " + std::to_string(i % 4) + "\n");
  EXPECT_EQ(documents(*open(folder.path(), {{"test_fraction", 0.3}, {"validation_fraction", 0.3}})).size(), 4u);
}

// 349 files and 3,458,059 bytes; the splits by path were computed independently.
TEST(Code, NetworkX) {
  const char* data = std::getenv("ASSAY_DATA");
  const auto folder = (data && *data ? std::filesystem::path(data) : source_folder() / ".data") / "networkx";
  if (!std::filesystem::exists(folder / "manifest.json"))
    GTEST_SKIP() << "no sources in " << folder << "; scripts/data networkx fetches them (ASSAY_DATA moves them)";
  std::map<Split, std::pair<int, size_t>> found;
  for (const auto& [id, document] : documents(*open(folder))) {
    ++found[document.second].first;
    found[document.second].second += document.first.size();
  }
  EXPECT_EQ(found[Split::kTrain], (std::pair{272, size_t{2730752}}));
  EXPECT_EQ(found[Split::kValidation], (std::pair{37, size_t{478207}}));
  EXPECT_EQ(found[Split::kTest], (std::pair{40, size_t{249100}}));
}

}  // namespace
}  // namespace assay::testing
