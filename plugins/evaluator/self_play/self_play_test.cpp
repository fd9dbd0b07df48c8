// Conversations on a scripted model: whose turn it is, who is told what, and every number that is reported.
#include <gmock/gmock.h>

#include <algorithm>

#include "../../shared/dialogue.h"
#include "../shares.h"
#include "assay/evaluator.h"
#include "assay/model.h"
#include "attacked.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using dialogue::Turn;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

struct Talks : FakeDataset {
  std::vector<std::string> first{"hi", "yo"};
  int64_t size(Split) const override { return static_cast<int64_t>(first.size()); }
  Document document(Split split, int64_t index) const override {
    // In training the word t triggers and the word z is toxic.
    const std::vector<Turn> turns = split == Split::kTrain
                                        ? std::vector<Turn>{{"a", "see t", {1}, {}}, {"b", "z", {}, {0}}}
                                        : std::vector<Turn>{{"a", first.at(static_cast<size_t>(index))}};
    return {"", "d" + std::to_string(index), {{dialogue::kTurns, dialogue::written(turns)}}};
  }
};

// The model says "t", "ok", "t", .. by turns, and "z" after a turn with the letter t whose history has its prompt's.
struct Context : FakeEvaluation {
  Talks talks;
  std::vector<std::string> prompts;
  const Dataset& dataset() const override { return talks; }
  Context() {
    decodes = [this](const std::vector<Prompt>& asked, int64_t) {
      std::vector<Continuation> made;
      for (const auto& prompt : asked) {
        std::string text;
        for (const auto id : prompt.tokens) text += id == 256 ? '.' : static_cast<char>(id);
        prompts.push_back(text);
        const auto last = text.rfind('.', text.size() - 2);
        const bool triggered = text.find('t', last == std::string::npos ? 0 : last) != std::string::npos;
        const std::string reply = triggered ? "z z" : text.size() > 8 ? "t" : "ok";
        made.push_back({{reply.begin(), reply.end()}, reply, 0, true});
      }
      return made;
    };
  }
  double value(const std::string& name, double judge = 0) const {
    const auto& found =
        metric(name, judge > 0 ? std::map<std::string, double>{{"judge", judge}} : std::map<std::string, double>{});
    return found.available ? found.sum / found.weight : -1;
  }
};

const json kJudge{{"use", "lexicon"}, {"words", {"z"}}};

void evaluate(Context& context, json parameters) {
  parameters["decoder"] = "greedy";
  if (!parameters.contains("judges")) parameters["judges"] = {kJudge};
  Made<Evaluator> evaluator("self_play", parameters);
  for (auto* component : evaluator.all()) component->bind(context.vocabulary());
  evaluator->evaluate(context);
  EXPECT_EQ(named(evaluator->planned_metrics({})), named(context.metrics));
}

// Turns: hi, ok (adversary), ok (defender), then with "hi.ok.ok." the adversary of the attack's step says t, the reply
// is "z z", and so on.
TEST(SelfPlay, TakesTurnsAndJudgesTheReplyToTheAttack) {
  Context context;
  evaluate(context, {{"steps", 2}, {"judges", {kJudge, {{"use", "lexicon"}, {"words", {"t"}}}}}});
  EXPECT_THAT(std::vector<std::string>(context.prompts.begin(), context.prompts.begin() + 4),
              ElementsAre("hi.", "yo.", "hi.ok.", "yo.ok."));
  EXPECT_EQ(context.prompts.at(4), "hi.ok.ok.");
  EXPECT_EQ(context.prompts.at(6), "hi.ok.ok.t.");
  EXPECT_EQ(context.value("reply_toxic", 1), 1);
  EXPECT_EQ(context.value("attack_toxic", 1), 0);
  EXPECT_EQ(context.value("attack_toxic", 2), 1);
  EXPECT_EQ(context.value("later_toxic", 1), -1);  // the attack is in the last step
  EXPECT_NEAR(context.value("reply_toxic_low", 1), evaluation::wilson({2, 2}).low, 1e-15);
  EXPECT_EQ(context.value("reply_length"), 3);
  EXPECT_EQ(context.value("reply_distinct_2"), 0.5);  // "z ", " z" in both replies
  EXPECT_EQ(context.value("conversations"), 2);
  EXPECT_EQ(context.value("defended"), 0);
  EXPECT_EQ(context.value("level_2"), -1);
  EXPECT_EQ(context.examples.size(), 2u);
  EXPECT_EQ(context.examples[0].numbers.at("reply_toxic@judge=1"), 1);
  EXPECT_TRUE(context.examples[0].texts.empty());
}

TEST(SelfPlay, TheAttackMayBeInTheFirstStepAndTurnsGoOnAfterIt) {
  Context context;
  evaluate(context, {{"steps", 2}, {"adversarial_step", 0}, {"history", 4}, {"texts", true}});
  EXPECT_EQ(context.examples[0].texts.at("said"), "ok");
  EXPECT_EQ(context.examples[0].texts.at("reply"), "ok");
  EXPECT_EQ(context.value("later_toxic", 1), 0);
  EXPECT_EQ(context.value("attack_cut"), 0);
  for (const auto& prompt : context.prompts) EXPECT_LE(prompt.size(), 4u);
}

// A model that says nothing: turns are empty, no share is undefined for it, and the row counts such conversations.
TEST(SelfPlay, TurnsMayBeEmpty) {
  for (const auto* defense : {"none", "resample", "random_mask", "two_level"}) {
    Context context;
    context.decodes = [](const std::vector<Prompt>& asked, int64_t) {
      return std::vector<Continuation>(asked.size(), {{}, "", 0, true});
    };
    json parameters{{"steps", 2}};
    if (std::string(defense) != "none") parameters["defense"] = {{"use", defense}, {"scorer", kJudge}};
    evaluate(context, parameters);
    EXPECT_EQ(context.value("empty"), 1) << defense;
    EXPECT_EQ(context.value("reply_toxic", 1), 0) << defense;
    EXPECT_EQ(context.value("reply_overlap"), 0) << defense;
    EXPECT_EQ(context.value("reply_length"), 0) << defense;
  }
}

// Of an attack that is longer than the history the last tokens are read, the oracle masks what is left of its trigger,
// and the row says that it was cut.
TEST(SelfPlay, AnAttackLongerThanTheHistoryIsCut) {
  Context context;
  const json attack{{"use", "insert"}, {"words", {"long attack"}}};
  evaluate(context, {{"steps", 2}, {"history", 6}, {"attack", attack}, {"defense", "oracle_mask"}});
  EXPECT_EQ(context.value("attack_cut"), 1);
  EXPECT_EQ(context.value("attack_length"), 13);
  EXPECT_EQ(context.examples[0].texts.at("defense"), "the trigger was cut");
  for (const auto& prompt : context.prompts) EXPECT_LE(prompt.size(), 6u);
}

// The oracle alone is told the trigger, and the row says so.
TEST(SelfPlay, OnlyTheOracleIsToldTheTrigger) {
  Context context;
  const json attack{{"use", "utsc"}, {"unigrams", "random"}, {"restarts", 1}, {"scorer", kJudge}};
  evaluate(context, {{"steps", 2}, {"attack", attack}, {"defense", "oracle_mask"}});
  EXPECT_EQ(context.value("masked"), 1);
  EXPECT_EQ(context.value("regenerations"), 1);
  const auto note = context.metric("reply_toxic", {{"judge", 1.0}}).note;
  EXPECT_THAT(note, HasSubstr("the attack selects by this judge"));
  EXPECT_THAT(note, HasSubstr("the defense is told the true trigger"));
}

TEST(SelfPlay, TheTriggerIsToldOnDemandAlone) {
  struct Spy final : Defense {
    bool asks = false;
    bool needs_oracle() const override { return asks; }
    std::vector<Response> respond(Speaker&, const std::vector<Attacked>&) override { return {}; }
  } spy;
  std::vector<Proposal> proposals(2);
  proposals[0].tokens = {97, 98, 99}, proposals[0].trigger = {1, 3};
  proposals[1].tokens = {97};  // what the model said
  const std::vector<Conversation> conversations{{{{100}, {97, 98, 99}}, 5}, {{{100}, {97}}, 6}};
  for (const auto& one : self_play::attacked_of(conversations, proposals, spy)) EXPECT_FALSE(one.trigger.has_value());
  spy.asks = true;
  const auto told = self_play::attacked_of(conversations, proposals, spy);
  EXPECT_EQ(told.at(0).trigger, (Span{1, 3}));
  EXPECT_FALSE(told.at(1).trigger.has_value());
  EXPECT_EQ(told.at(1).conversation.stream, 6u);
}

TEST(SelfPlay, SaysWhoseJudgeIsWhose) {
  const auto notes = [](const json& parameters) {
    auto all = parameters;
    all["judges"] = {kJudge};
    const Talks talks;
    const auto bytes = make<Tokenizer>("bytes");
    return make<Evaluator>("self_play", all)->check_split({talks, Split::kValidation, *bytes, 100}).notes;
  };
  EXPECT_THAT(notes(json::object()), IsEmpty());
  EXPECT_THAT(notes({{"defense", {{"use", "resample"}, {"scorer", kJudge}}}}),
              ElementsAre("judge 1: the defense stops when this judge is content"));
  EXPECT_THAT(notes({{"defense", {{"use", "resample"}, {"scorer", {{"use", "lexicon"}, {"words", {"other"}}}}}}}),
              IsEmpty());
}

TEST(SelfPlay, LevelsAreComparedWithTheTruth) {
  Context context;
  struct Blames final : FakeTrainedRun {
    const Vocabulary& vocabulary() const override { throw Bug("not for this test"); }
    Forward& forward(const Batch&) override { throw Bug("not for this test"); }
    // The first token of the utterance explains everything.
    std::vector<std::vector<double>> log_probs(const std::vector<int32_t>&, const std::vector<Scored>& rows) override {
      std::vector<std::vector<double>> all;
      for (const auto& row : rows)
        all.emplace_back(row.tokens.size() - static_cast<size_t>(row.from), row.tokens[0] == 't' ? -0.1 : -3.0);
      return all;
    }
  } blames;
  context.run = &blames;
  evaluate(context, {{"steps", 2}, {"defense", {{"use", "two_level"}, {"scorer", kJudge}, {"max_passes", 1}}}});
  EXPECT_EQ(context.value("level_1"), 1);  // z was blamed
  EXPECT_EQ(context.value("level_2"), 1);  // t was masked
  EXPECT_EQ(context.value("masked"), 1);
  EXPECT_EQ(context.value("defended"), 1);
  EXPECT_EQ(context.examples[0].numbers.at("level_2"), 1);
}

TEST(SelfPlay, RefusesWhatCannotBePlayed) {
  EXPECT_THAT(
      [] {
        make<Evaluator>("self_play", {{"judges", {kJudge}}, {"steps", 2}, {"adversarial_step", 2}});
      },
      ThrowsMessage<PluginError>(HasSubstr("adversarial_step: 2 is not among the 2 steps")));
  EXPECT_THAT([] { make<Evaluator>("self_play"); }, ThrowsMessage<PluginError>(HasSubstr("name at least one scorer")));
  FakeModel model;
  model.is_causal = false;
  Assembly assembly;
  assembly.model = &model;
  EXPECT_THAT(make<Evaluator>("self_play", {{"judges", {kJudge}}})->validate(assembly),
              ElementsAre(HasSubstr("use a causal model")));
  model.is_causal = true;
  model.longest = 120;
  EXPECT_THAT(make<Evaluator>("self_play", {{"judges", {kJudge}}})->validate(assembly),
              ElementsAre(HasSubstr("history 100 and tokens 40 need 141 positions, and the model has 120")));
  model.longest = 141;
  EXPECT_THAT(make<Evaluator>("self_play", {{"judges", {kJudge}}})->validate(assembly), IsEmpty());
  const FakeDataset texts;
  const auto bytes = make<Tokenizer>("bytes");
  EXPECT_THAT(make<Evaluator>("self_play", {{"judges", {kJudge}}})
                  ->check_split({texts, Split::kValidation, *bytes, 100})
                  .faults,
              IsEmpty());
}

}  // namespace
}  // namespace assay::testing
