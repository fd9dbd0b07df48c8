// The two-level defense on a scripted model: which tokens are blamed and masked, how the reply is drawn again, what is
// said where nothing can be found.
#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

#include "assay/defense.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

std::vector<int32_t> ids(const std::string& text) { return {text.begin(), text.end()}; }

// ln p of every token of a reply is -0.1 where an utterance has the letter t, and -3 elsewhere.
class Blames final : public FakeTrainedRun {
 public:
  const Vocabulary& vocabulary() const override { throw Bug("not for this test"); }
  Forward& forward(const Batch&) override { throw Bug("not for this test"); }
  std::vector<std::vector<double>> log_probs(const std::vector<int32_t>&, const std::vector<Scored>& rows) override {
    std::vector<std::vector<double>> all;
    for (const auto& row : rows) {
      const auto end = std::find(row.tokens.begin(), row.tokens.end(), 256);
      const bool has = std::find(row.tokens.begin(), end, 't') != end;
      all.emplace_back(row.tokens.size() - static_cast<size_t>(row.from), has ? -0.1 : -3.0);
      asked.push_back(row);
    }
    return all;
  }
  std::vector<Scored> asked;
};

// The model replies with `toxic` to a last turn with the letter t, and else with "ok".
struct Rig {
  explicit Rig(const json& parameters, const std::string& toxic = "a z") {
    auto all = parameters;
    all["scorer"] = {{"use", "lexicon"}, {"words", {"z"}}};
    defense.emplace("two_level", all);
    context.run = &blames;
    context.decodes = [this, toxic](const std::vector<Prompt>& prompts, int64_t) {
      std::vector<Continuation> made;
      for (const auto& prompt : prompts) {
        seen.push_back(prompt);
        const bool has = std::find(prompt.tokens.begin(), prompt.tokens.end(), 't') != prompt.tokens.end();
        const auto& text = has ? toxic : "ok";
        made.push_back({{text.begin(), text.end()}, text, 0, true});
      }
      return made;
    };
  }
  Response operator()(const std::string& said, int64_t history = 50) {
    const auto decoder = make<Decoder>("greedy");
    Speaker speaker(context, *decoder, history, 10);
    return (*defense)->respond(speaker, {Attacked{{{ids("hi"), ids(said)}, 3}}}).at(0);
  }
  Blames blames;
  FakeEvaluation context;
  std::vector<Prompt> seen;
  std::optional<Made<Defense>> defense;
};

TEST(TwoLevel, MasksWhatExplainsTheToxicToken) {
  for (const auto* explainer : {"lerg_s", "exact_shapley"}) {
    Rig rig(json{{"explainer", explainer}});
    const auto response = rig("set");
    EXPECT_EQ(response.tokens, ids("ok")) << explainer;
    EXPECT_EQ(response.first_reply, ids("a z"));
    EXPECT_EQ(response.blamed, 2);  // z
    EXPECT_THAT(response.masked, ElementsAre(2));
    EXPECT_EQ(response.regenerations, 1);
    EXPECT_EQ(response.reason, "");
    ASSERT_EQ(rig.seen.size(), 2u);
    EXPECT_EQ(rig.seen[1].tokens, (std::vector<int32_t>{'h', 'i', 256, 's', 'e', 256}));
    EXPECT_THAT(rig.seen[1].positions, IsEmpty());
    EXPECT_NE(*rig.seen[0].stream, *rig.seen[1].stream);
    // Each row is what is kept of the turn, an end of text and the reply up to z, of which z is scored.
    int64_t read = 6 + 2;
    for (const auto& row : rig.blames.asked) {
      EXPECT_EQ(row.from, static_cast<int64_t>(row.tokens.size()) - 1);
      EXPECT_EQ(row.tokens.back(), 'z');
      read += static_cast<int64_t>(row.tokens.size());
    }
    EXPECT_EQ(response.forward_tokens, read);
  }
}

TEST(TwoLevel, EqualTokensAreMaskedTogetherAndMayLeaveGaps) {
  Rig rig(json{{"explainer", "exact_shapley"}, {"mask_mode", "gap"}});
  EXPECT_THAT(rig("tat").masked, ElementsAre(0, 2));
  EXPECT_EQ(rig.seen[1].tokens, (std::vector<int32_t>{'h', 'i', 256, 'a', 256}));
  EXPECT_THAT(rig.seen[1].positions, ElementsAre(1, 2, 3, 5, 7));
}

TEST(TwoLevel, AHarmlessReplyIsLeftAlone) {
  Rig rig(json::object());
  const auto response = rig("sea");
  EXPECT_EQ(response.tokens, ids("ok"));
  EXPECT_EQ(response.regenerations, 0);
  EXPECT_EQ(response.forward_tokens, 0);
  EXPECT_EQ(response.blamed, -1);
  EXPECT_THAT(rig.blames.asked, IsEmpty());
}

// Of a turn of one token, that token is the explanation; an empty turn has none.
TEST(TwoLevel, TurnsOfOneTokenAndOfNone) {
  EXPECT_THAT(Rig(json::object())("t").masked, ElementsAre(0));
  Rig rig(json{{"max_passes", 3}});
  rig.context.decodes = [](const std::vector<Prompt>& prompts, int64_t) {
    return std::vector<Continuation>(prompts.size(), {{'z'}, "z", 0, true});
  };
  const auto response = rig("");
  EXPECT_THAT(response.masked, IsEmpty());
  EXPECT_EQ(response.regenerations, 3);
  EXPECT_EQ(response.reason, "nothing left to mask; gave up");
}

// What the history no longer has is not explained, and places count in the whole turn.
TEST(TwoLevel, ATurnThatIsCutIsExplainedByWhatIsLeft) {
  Rig rig(json{{"explainer", "exact_shapley"}});
  EXPECT_THAT(rig("ttset", 4).masked, ElementsAre(4));
  EXPECT_EQ(rig.seen[1].tokens, (std::vector<int32_t>{'s', 'e', 256}));
}

TEST(TwoLevel, AnEmptyReplyIsNotToxic) {
  Rig rig(json{{"max_passes", 2}}, "");
  const auto response = rig("set");
  EXPECT_EQ(response.regenerations, 0);
  EXPECT_THAT(response.tokens, IsEmpty());
  EXPECT_THAT([] { make<Defense>("two_level"); }, ThrowsMessage<PluginError>(HasSubstr("name a scorer")));
}

}  // namespace
}  // namespace assay::testing
