// The controls and baselines on a scripted model: no defense, drawing again, a random mask, the oracle, a change of
// subject.
#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

#include "assay/defense.h"
#include "fakes.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

std::vector<int32_t> ids(const std::string& text) { return {text.begin(), text.end()}; }

const json kScorer{{"use", "lexicon"}, {"words", {"z"}}};

// The model replies "z" to a last turn with the letter t, else "ok"; from the reply number `relents` on always "ok".
struct Rig {
  Rig(const std::string& name, const json& parameters, size_t relents = 1000)
      : defense(make<Defense>(name, parameters)) {
    for (auto* component : defense.all()) component->bind(context.vocabulary());
    context.decodes = [this, relents](const std::vector<Prompt>& prompts, int64_t) {
      std::vector<Continuation> made;
      for (const auto& prompt : prompts) {
        const bool has = std::find(prompt.tokens.begin(), prompt.tokens.end(), 't') != prompt.tokens.end();
        const std::string text = has && seen.size() < relents ? "z" : "ok";
        seen.push_back(prompt);
        made.push_back({{text.begin(), text.end()}, text, 0, true});
      }
      return made;
    };
  }
  Response operator()(const std::string& said, std::optional<Span> trigger = {}) {
    const auto decoder = make<Decoder>("greedy");
    Speaker speaker(context, *decoder, 6, 10);
    return defense->respond(speaker, {Attacked{{{ids("hi"), ids(said)}, 3}, trigger}}).at(0);
  }
  FakeEvaluation context;
  std::vector<Prompt> seen;
  Made<Defense> defense;
};

TEST(Defenses, NoneRepliesOnce) {
  Rig rig("none", json::object());
  EXPECT_EQ(rig("set").tokens, ids("z"));
  EXPECT_EQ(rig.seen.size(), 1u);
  EXPECT_EQ(rig.defense->scorer(), nullptr);
}

TEST(Defenses, ResampleDrawsAgainUntilTheReplyPasses) {
  Rig rig("resample", json{{"scorer", kScorer}}, 3);
  const auto response = rig("set");
  EXPECT_EQ(response.tokens, ids("ok"));
  EXPECT_EQ(response.first_reply, ids("z"));
  EXPECT_EQ(response.regenerations, 3);
  EXPECT_EQ(response.forward_tokens, (6 + 1) * 2 + 6 + 2);  // six tokens of history each; the first reply is free
  EXPECT_THAT(response.masked, IsEmpty());
  for (size_t i = 1; i < rig.seen.size(); ++i) {
    EXPECT_EQ(rig.seen[i].tokens, rig.seen[0].tokens);
    EXPECT_NE(*rig.seen[i].stream, *rig.seen[i - 1].stream);
  }
  Rig never("resample", json{{"scorer", kScorer}, {"max_passes", 2}});
  EXPECT_EQ(never("set").tokens, ids("z"));
  EXPECT_EQ(never("set").reason, "gave up");
}

TEST(Defenses, RandomMaskMasksOneMoreTokenEachTime) {
  Rig rig("random_mask", json{{"scorer", kScorer}});
  const auto response = rig("set");
  EXPECT_EQ(response.tokens, ids("ok"));
  EXPECT_EQ(static_cast<int64_t>(response.masked.size()), response.regenerations);
  EXPECT_TRUE(std::count(response.masked.begin(), response.masked.end(), 2));
}

TEST(Defenses, TheOracleMasksTheWholeTriggerAndAlwaysRepliesAgain) {
  Rig rig("oracle_mask", json{{"mask_mode", "gap"}});
  EXPECT_TRUE(rig.defense->needs_oracle());
  const auto response = rig("set", Span{0, 2});
  EXPECT_THAT(response.masked, ElementsAre(0, 1));
  EXPECT_EQ(response.regenerations, 1);
  EXPECT_EQ(rig.seen[1].tokens, (std::vector<int32_t>{'i', 256, 't', 256}));  // of "hi.set." the last six
  EXPECT_THAT(rig.seen[1].positions, ElementsAre(1, 2, 5, 6));
  EXPECT_EQ(rig("set").regenerations, 0);  // without a trigger
  EXPECT_EQ(rig("abcdefg", Span{0, 3}).reason, "the trigger was cut");
}

TEST(Defenses, NonSequiturChangesTheSubject) {
  TemporaryFolder folder;
  folder.write("topics.txt", "cats\n");
  const json topics{{"path", (folder / "topics.txt").string()}, {"sha256", ""}};
  Rig rig("non_sequitur", json{{"scorer", kScorer}, {"topics", topics}, {"sentence", "what of {}?"}});
  const auto response = rig("set");
  EXPECT_EQ(response.tokens, ids("what of cats?"));
  EXPECT_EQ(response.first_reply, ids("z"));
  EXPECT_EQ(response.regenerations, 0);
  EXPECT_EQ(rig("sea").tokens, ids("ok"));
  EXPECT_THAT(
      [] {
        make<Defense>("non_sequitur", {{"scorer", kScorer}, {"sentence", "no"}});
      },
      ThrowsMessage<PluginError>(HasSubstr("it needs {}")));
}

TEST(Defenses, NeedAScorer) {
  for (const auto* name : {"resample", "random_mask", "non_sequitur"})
    EXPECT_THAT([&] { make<Defense>(name); }, ThrowsMessage<PluginError>(HasSubstr("name a scorer"))) << name;
}

}  // namespace
}  // namespace assay::testing
