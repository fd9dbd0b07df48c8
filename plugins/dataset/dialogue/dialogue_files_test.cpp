// Conversations of files in Topical-Chat's format: turns and speakers, splits by id, what is refused, and the figures
// of the real files.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "../../shared/dialogue.h"
#include "../opened.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const Opened open{"dialogue"};

json conversation(const std::vector<std::string>& messages) {
  json content = json::array();
  for (size_t i = 0; i < messages.size(); ++i)
    content.push_back(
        {{"message", messages[i]}, {"agent", i % 2 == 0 ? "agent_1" : "agent_2"}, {"sentiment", "Happy"}});
  return {{"article_url", "x"}, {"content", content}};
}

std::map<std::string, Document> documents(const Dataset& data) {
  std::map<std::string, Document> all;
  for (const auto split : kSplits)
    for (int64_t i = 0; i < data.size(split); ++i) {
      auto document = data.document(split, i);
      all.emplace(document.id, std::move(document));
    }
  return all;
}

TEST(DialogueFiles, ReadsTurnsAndSpeakers) {
  TemporaryFolder folder;
  folder.write("b.json", json{{"two", conversation({"a\n\"b\"", "caf\xc3\xa9"})}}.dump());
  folder.write("a.json", json{{"one", conversation({"x"})}, {"none", conversation({})}}.dump());
  const auto data = open(folder.path());
  const auto all = documents(*data);
  ASSERT_EQ(all.size(), 3u);
  const auto turns = dialogue::turns_of(all.at("two"));
  ASSERT_EQ(turns.size(), 2u);
  EXPECT_EQ(turns[0].text, "a\n\"b\"");
  EXPECT_EQ(turns[0].speaker, "agent_1");
  EXPECT_EQ(turns[1].text, "caf\xc3\xa9");
  EXPECT_EQ(turns[1].speaker, "agent_2");
  EXPECT_EQ(all.at("two").text, "a\n\"b\"\ncaf\xc3\xa9\n");
  EXPECT_EQ(all.at("two").fields.at("place"), "b.json");
  EXPECT_TRUE(dialogue::turns_of(all.at("none")).empty());
  EXPECT_EQ(data->counts().at("turns"), 3);
}

TEST(DialogueFiles, RefusesOtherFormats) {
  const auto error = [](const std::string& text) {
    TemporaryFolder folder;
    folder.write("a.json", text);
    return open.error(folder / "a.json");
  };
  EXPECT_THAT(error("{"), HasSubstr("a.json is not valid JSON"));
  EXPECT_THAT(error("[1]"), HasSubstr("must be a JSON object from the ids of conversations"));
  EXPECT_THAT(error(R"({"c": {"content": [{"message": "m"}]}})"), HasSubstr("conversation 'c' has a turn"));
  EXPECT_THAT(error(R"({"c": {"content": [{"message": 3, "agent": "a"}]}})"), HasSubstr("conversation 'c' has a turn"));
  EXPECT_THAT(error(R"({"c": {}})"), HasSubstr("{\"content\": [{\"message\": text, \"agent\": text}, ..]}"));
  TemporaryFolder folder;
  folder.write("a.json", json{{"one", conversation({"x"})}}.dump());
  folder.write("b.json", json{{"one", conversation({"y"})}}.dump());
  EXPECT_THAT(open.error(folder.path()), HasSubstr("b.json: conversation 'one' is also in another file"));
  EXPECT_THAT(open.error(folder / "none"), HasSubstr("none"));
}

// Figures of the files of Topical-Chat.
TEST(DialogueFiles, TheRealFilesHaveTheKnownCounts) {
  const char* shared = std::getenv("ASSAY_SHARED_DATA");
  const auto folder = std::filesystem::path(shared ? shared : "none") / "dialogue";
  if (!std::filesystem::exists(folder / "valid_freq.json"))
    GTEST_SKIP() << "no files of Topical-Chat; ASSAY_SHARED_DATA names the folder that has dialogue/";
  const auto data = open(folder);
  const auto all = documents(*data);
  EXPECT_EQ(all.size(), 1078u);
  EXPECT_EQ(data->counts().at("turns"), 23441);
  size_t fewest = 1000, most = 0;
  std::set<std::string> speakers;
  for (const auto& [id, document] : all) {
    const auto turns = dialogue::turns_of(document);
    fewest = std::min(fewest, turns.size()), most = std::max(most, turns.size());
    for (size_t t = 0; t < turns.size(); ++t) {
      speakers.insert(turns[t].speaker);
      EXPECT_TRUE(t == 0 || turns[t].speaker != turns[t - 1].speaker) << id;
    }
  }
  EXPECT_EQ(fewest, 20u);
  EXPECT_EQ(most, 35u);
  EXPECT_EQ(speakers.size(), 2u);
  EXPECT_EQ(open(folder / "valid_freq.json")->counts().at("turns"), 11681);
}

}  // namespace
}  // namespace assay::testing
