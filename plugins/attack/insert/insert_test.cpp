// A word somewhere in what the model says.
#include <gmock/gmock.h>

#include <set>

#include "assay/attack.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Insert, PutsAWordAtADrawnPlace) {
  FakeEvaluation context;
  context.decodes = [](const std::vector<Prompt>& prompts, int64_t) {
    return std::vector<Continuation>(prompts.size(), {{'a', 'b'}, "ab", 0, true});
  };
  const auto decoder = make<Decoder>("greedy");
  Speaker speaker(context, *decoder, 20, 5);
  const auto attack = make<Attack>("insert", {{"words", {"XY"}}});
  std::vector<Conversation> conversations;
  for (uint64_t stream = 0; stream < 40; ++stream) conversations.push_back({{{'h', 'i'}}, stream});
  std::set<std::string> texts;
  for (const auto& one : attack->propose(speaker, conversations)) {
    const std::string text(one.tokens.begin(), one.tokens.end());
    EXPECT_EQ(text.substr(static_cast<size_t>(one.trigger.begin), 2), "XY");
    EXPECT_EQ(one.trigger.size(), 2);
    texts.insert(text);
  }
  EXPECT_EQ(texts, (std::set<std::string>{"XYab", "aXYb", "abXY"}));
  EXPECT_THAT(
      [] {
        make<Attack>("insert", {{"words", nlohmann::json::array()}});
      },
      ThrowsMessage<PluginError>(HasSubstr("name a word to insert")));
}

}  // namespace
}  // namespace assay::testing
