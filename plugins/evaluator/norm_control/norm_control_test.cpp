// Control, relevance and choice with their baselines, on texts that a test writes.
#include <ATen/ops/ones_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include "../../shared/norm_views.h"
#include "../../shared/planted_norms.h"
#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Four held-out rows of two situations, and a training split whose most frequent cells are agree 4, advice and no
// foundation.
struct World : FakeDataset {
  static Document row(const char* id, const char* situation, const char* rot, const char* agree, const char* categories,
                      const char* foundations) {
    return {"",
            id,
            {{"situation", situation},
             {"situation-short-id", situation},
             {"rot", rot},
             {"rot-agree", agree},
             {"rot-categorization", categories},
             {"rot-moral-foundations", foundations},
             {"action-moral-judgment", "1"}}};
  }
  std::vector<Document> train{row("t1", "a", "r", "4", "advice", ""), row("t2", "a", "r", "4", "advice", ""),
                              row("t3", "b", "r", "0", "description", "care-harm")};
  std::vector<Document> held_out{
      row("h1", "sharing the kite with my aunt", "it is kind to support sharing the kite with a aunt surely wisely",
          "4", "advice", ""),
      row("h2", "sharing the kite with my aunt", "it is kind to support sharing the kite with a aunt oddly wisely", "0",
          "advice", ""),
      row("h3", "fixing the lamp with my boss", "it is rude to avoid fixing the lamp with a boss surely plainly gentle",
          "4", "description", "care-harm"),
      row("h4", "fixing the lamp with my boss", "it is fine to avoid fixing the lamp with a boss surely plainly gentle",
          "4", "description", "care-harm")};
  int64_t size(Split split) const override {
    return static_cast<int64_t>((split == Split::kTrain ? train : held_out).size());
  }
  Document document(Split split, int64_t index) const override {
    return (split == Split::kTrain ? train : held_out).at(static_cast<size_t>(index));
  }
};

struct Context : FakeEvaluation {
  World world;
  std::vector<std::string> texts;              // what the model writes, by prompt
  std::vector<std::vector<std::string>> more;  // attribute tokens after it
  std::vector<Prompt> seen;
  const Dataset& dataset() const override { return world; }
  Context() {
    const auto added = norms::added_tokens();
    add_special({added.begin(), added.end()});
    decodes = [this](const std::vector<Prompt>& prompts, int64_t) {
      std::vector<Continuation> made;
      for (const auto& prompt : prompts) {
        const auto at = seen.size();
        seen.push_back(prompt);
        Continuation one;
        for (const char c : texts.at(at)) one.ids.push_back(c);
        if (!more.empty())
          for (const auto& word : more.at(at)) one.ids.push_back(vocabulary().special("<" + word + ">"));
        one.text = texts.at(at);
        one.ended = at != 1;
        made.push_back(one);
      }
      return made;
    };
  }
  // The row whose text is the shuffled baseline of row i: from a drawn place on, the first one about another situation.
  size_t partner(size_t i) const {
    auto at = draws().below(4, i);
    while (at / 2 == i / 2) at = (at + 1) % 4;
    return at;
  }
  double value(const std::string& name) const {
    const auto& found = metric(name, std::map<std::string, double>{});
    return found.sum / found.weight;
  }
};

void evaluate(Context& context, json parameters) {
  Made<Evaluator> evaluator("norm_control", parameters);
  for (auto* component : evaluator.all()) component->bind(context.vocabulary());
  evaluator->evaluate(context);
  EXPECT_EQ(named(evaluator->planned_metrics({})), named(context.metrics));
}

TEST(NormControl, ComparesWithWhatWasAskedForAndWithBaselines) {
  Context context;
  context.texts = {"it is kind to support sharing the kite surely wisely",     // as asked
                   "it is kind to support sharing the kite surely wisely",     // agree 0 was asked for
                   "it is rude to avoid fixing the vase surely plainly pure",  // another thing and foundation
                   "fixing the lamp plainly gentle"};                          // no agreement
  evaluate(context, {{"checker", "planted"}, {"texts", true}});
  // Of the attributes of a RoT: 4 + 2 + 2 of 4 rows for categories, foundations, agreement.
  EXPECT_EQ(context.value("rot-categorization"), 1);
  EXPECT_EQ(context.value("rot-moral-foundations"), 0.75);
  EXPECT_EQ(context.value("rot-agree"), 0.5);
  EXPECT_EQ(context.value("control"), 9.0 / 12);
  // Most frequent in training: agree 4 (3 of 4 rows), advice (2), no foundation (2).
  EXPECT_EQ(context.value("rot-agree_majority"), 0.75);
  EXPECT_EQ(context.value("control_majority"), 7.0 / 12);
  // The text of another row: categories never, foundations never, and agreement.
  const std::string asked[] = {"4", "0", "4", "4"}, shown[] = {"4", "4", "4", ""};
  double agree = 0;
  for (size_t i = 0; i < 4; ++i) agree += asked[i] == shown[context.partner(i)];
  EXPECT_EQ(context.value("rot-categorization_shuffled"), 0);
  EXPECT_EQ(context.value("rot-moral-foundations_shuffled"), 0);
  EXPECT_EQ(context.value("rot-agree_shuffled"), agree / 4);
  EXPECT_EQ(context.value("control_shuffled"), agree / 12);
  // Two situations, with 5 and 4 of 6: samples of them have 4, 4.5 or 5.
  EXPECT_EQ(context.value("control_low"), 4.0 / 6);
  EXPECT_EQ(context.value("control_high"), 5.0 / 6);
  // An attribute that is shown and not asked for is reported, and is not part of control.
  EXPECT_EQ(context.value("action-moral-judgment"), 0.5);
  EXPECT_EQ(context.value("relevance"), 0.75);
  EXPECT_EQ(context.value("relevance_shuffled"), 0);
  EXPECT_EQ(context.value("ended"), 0.75);
  EXPECT_EQ(context.value("documents"), 4);
  ASSERT_EQ(context.examples.size(), 4u);
  EXPECT_EQ(context.examples[2].numbers.at("control"), 2);
  EXPECT_EQ(context.examples[2].numbers.at("attributes"), 3);
  EXPECT_EQ(context.examples[2].texts.at("written"), context.texts[2]);
}

// What the model is given, and what it is not.
TEST(NormControl, GivesTheInputOfTheView) {
  for (const auto& [view, marker] :
       {std::pair{"controlled", "[attrs]"}, {"plain", "[rot]"}, {"model_choice", "[rot_and_attrs]"}}) {
    Context context;
    context.texts.assign(4, "text");
    evaluate(context, {{"view", view}});
    const auto& tokens = context.seen.at(0).tokens;
    const std::string situation = "sharing the kite with my aunt";
    ASSERT_GT(tokens.size(), situation.size());
    EXPECT_EQ(tokens[situation.size()], context.vocabulary().special(marker)) << view;
    EXPECT_TRUE(context.examples[0].texts.empty());
  }
}

// A prompt of the demo has every attribute in tags, and the text ends at its closing tag.
TEST(NormControl, OfTheDemoEndsAtTheClosingTag) {
  Context context;
  context.texts.assign(4, "sharing the kite surely");
  const auto plain = context.decodes;
  context.decodes = [&](const std::vector<Prompt>& prompts, int64_t tokens) {
    auto made = plain(prompts, tokens);
    for (auto& one : made) {
      one.ids.push_back(context.vocabulary().special("[/rot]"));
      for (const char c : std::string("more")) one.ids.push_back(c);
      one.ended = false;
    }
    return made;
  };
  evaluate(context, {{"view", "demo"}, {"texts", true}});
  EXPECT_EQ(context.examples[0].texts.at("written"), "sharing the kite surely");
  EXPECT_EQ(context.value("ended"), 1);
  const auto& tokens = context.seen.at(0).tokens;
  EXPECT_EQ(tokens.front(), context.vocabulary().special("[situation]"));
  EXPECT_EQ(tokens.back(), context.vocabulary().special("[rot]"));
  EXPECT_EQ(std::count(tokens.begin(), tokens.end(), context.vocabulary().special("<advice>")), 1);
}

// References are all texts of the same input: with the attributes two rows differ, with the situation alone they do
// not.
TEST(NormControl, AllTextsOfAnInputAreReferences) {
  const auto bleu = [](const char* view) {
    Context context;
    context.texts.assign(4, "it is kind to support sharing the kite with a aunt oddly wisely");
    evaluate(context, {{"view", view}});
    return context.examples[0].numbers.at("bleu");
  };
  EXPECT_DOUBLE_EQ(bleu("plain"), 100);
  EXPECT_LT(bleu("controlled"), 99);
}

TEST(NormControl, ComparesTheAttributesThatTheModelChose) {
  Context context;
  context.texts.assign(4, "text");
  context.more = {{"advice", "all"}, {"advice"}, {"description", "care-harm", "all"}, {"advice", "all"}};
  evaluate(context, {{"view", "model_choice"}});
  // Gold: {advice, all}, {advice, nobody}, {description, care-harm, all} twice: 10. Chosen: 2 + 1 + 3 + 2 = 8, of which
  // 2 + 1 + 3 + 1 are right.
  EXPECT_DOUBLE_EQ(context.value("choice_f1"), 2.0 * 7 / (10 + 8));
  // Majority {advice, all}: 2 + 1 + 1 + 1 right of 8 chosen.
  EXPECT_DOUBLE_EQ(context.value("choice_f1_majority"), 2.0 * 5 / (10 + 8));
  // The choice for another row; no value is in it twice.
  const std::vector<std::vector<std::string>> gold{{"advice", "all"},
                                                   {"advice", "nobody"},
                                                   {"description", "care-harm", "all"},
                                                   {"description", "care-harm", "all"}};
  double shared = 0, chosen = 0;
  for (size_t i = 0; i < 4; ++i) {
    const auto& other = context.more[context.partner(i)];
    chosen += static_cast<double>(other.size());
    for (const auto& word : other) shared += static_cast<double>(std::count(gold[i].begin(), gold[i].end(), word));
  }
  EXPECT_DOUBLE_EQ(context.value("choice_f1_shuffled"), 2 * shared / (10 + chosen));
  EXPECT_EQ(context.metric("choice_f1_majority", std::map<std::string, double>{}).direction, Direction::kNone);
}

// With the model's choice, control compares the text with what the model chose, not with what people chose.
TEST(NormControl, TextsHaveWhatTheModelChose) {
  Context context;
  context.texts = {"it is kind surely wisely",     // all and advice are chosen and shown
                   "it is kind oddly plainly",     // advice is chosen, and description shown; no agreement is chosen
                   "it is rude wisely gentle",     // advice and care-harm; two agreements are chosen, and none is shown
                   "it is fine surely politely"};  // nothing is chosen
  context.more = {{"all", "advice"}, {"advice"}, {"advice", "care-harm", "all", "most"}, {}};
  evaluate(context, {{"view", "model_choice"}, {"checker", "planted"}});
  EXPECT_EQ(context.value("rot-agree"), 1.0 / 3);  // the second row has none to show, the last one has missed it
  EXPECT_EQ(context.value("rot-categorization"), 2.0 / 4);
  EXPECT_EQ(context.value("rot-moral-foundations"), 3.0 / 4);
  EXPECT_EQ(context.value("control"), 6.0 / 11);
  EXPECT_FALSE(context.metric("action-moral-judgment", std::map<std::string, double>{}).available);
  EXPECT_THAT(
      [&] {
        evaluate(context, {{"view", "demo"}, {"target", "action"}});
      },
      ThrowsMessage<PluginError>(HasSubstr("view 'demo' writes a rule of thumb")));
}

// Texts without attributes agree with a choice of none, which is not control.
TEST(NormControl, AModelThatWritesNothingControlsNothing) {
  Context context;
  context.texts.assign(4, "");
  evaluate(context, {{"view", "model_choice"}, {"checker", "planted"}});
  EXPECT_EQ(context.value("control"), 0);
  EXPECT_EQ(context.value("control_shuffled"), 0);
  EXPECT_EQ(context.value("choice_f1"), 0);
}

// A classifier that is another run: it reads the fields and the text, and its classes are values of the attribute.
class OtherRun final : public FakeTrainedRun {
 public:
  class ByLength : public Objective {
   public:
    std::vector<std::string> classes() const override { return {"-1", "1"}; }
    // "1" where the row has an even number of tokens.
    Tensor class_scores(Forward& forward) override {
      const auto length_B = forward.batch().key_mask.sum(1);
      return at::stack({at::zeros_like(length_B), 1 - 2 * length_B.remainder(2)}, 1).to(at::kDouble);
    }
    void prepare(PrepareContext&) override {}
    void loss(LossContext&) override {}
  };
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  Forward& forward(const Batch& batch) override {
    lengths.push_back(batch.key_mask.sum(1));
    return *(forward_ = std::make_unique<FakeForward>(batch, nullptr));
  }
  Objective* classifier() override { return replaced ? replaced.get() : &classifier_; }
  std::vector<Tensor> lengths;
  std::unique_ptr<Objective> replaced;

 private:
  Made<Tokenizer> tokenizer_ = make<Tokenizer>("bytes");
  Vocabulary vocabulary_{*tokenizer_, 257, {{kEndOfText, 256}}};
  ByLength classifier_;
  std::unique_ptr<FakeForward> forward_;
};

TEST(NormControl, AClassifierOfAnotherRunReadsAnAttribute) {
  Context context;
  OtherRun run;
  context.others = [&](const RunReference&) -> TrainedRun& { return run; };
  context.texts = {"a", "ab", "abc", "abcd"};
  evaluate(context, {{"classifier", {{"path", "run"}, {"sha256", ""}}}, {"attribute", "action-moral-judgment"}});
  // end of text, 29 or 28 letters of the situation, end of text, and the text: 32, 33, 33, 34 tokens.
  EXPECT_EQ(context.value("classified_action-moral-judgment"), 0.5);
  EXPECT_EQ(context.value("classified_action-moral-judgment_majority"), 1);
  double others = 0;  // the first and the last text are right
  for (size_t i = 0; i < 4; ++i) others += context.partner(i) % 3 == 0;
  EXPECT_EQ(context.value("classified_action-moral-judgment_shuffled"), others / 4);
  EXPECT_EQ(values_of<int64_t>(run.lengths.at(0)), (std::vector<int64_t>{32, 33, 33, 34}));
  context.seen.clear();
  EXPECT_THAT(
      [&] {
        evaluate(context, {{"classifier", {{"path", "run"}, {"sha256", ""}}}, {"attribute", "action-agency"}});
      },
      ThrowsMessage<UserError>(
          AllOf(HasSubstr("its class '-1' is not a value of action-agency"), HasSubstr("agency, experience"))));
}

// A list is right when it has the same items.
TEST(NormControl, AClassifierMayFindSeveralValues) {
  struct Lists final : OtherRun::ByLength {
    std::vector<std::string> classes() const override { return {"description", "advice"}; }
    bool has_several_labels() const override { return true; }
    // advice in every text, description where the row has an even number of tokens.
    Tensor class_scores(Forward& forward) override {
      const auto even_B = 1 - 2 * forward.batch().key_mask.sum(1).remainder(2);
      return at::stack({even_B, at::ones_like(even_B)}, 1).to(at::kDouble);
    }
  };
  Context context;
  OtherRun run;
  run.replaced = std::make_unique<Lists>();
  context.others = [&](const RunReference&) -> TrainedRun& { return run; };
  context.texts = {"ab", "a", "abc", "abcd"};  // 33, 32, 33, 34 tokens: one value, two, one, two
  context.world.held_out[1].fields["rot-categorization"] = "description|advice";
  evaluate(context, {{"classifier", {{"path", "run"}, {"sha256", ""}}}, {"attribute", "rot-categorization"}});
  EXPECT_EQ(context.value("classified_rot-categorization"), 0.5);
  EXPECT_EQ(context.value("classified_rot-categorization_majority"), 0.25);
}

// With one situation there is nothing to shuffle with.
TEST(NormControl, OneSituationHasNoShuffledBaseline) {
  Context context;
  context.world.held_out.resize(2);
  context.texts.assign(2, "it is kind");
  evaluate(context, {{"checker", "planted"}});
  for (const auto* name : {"control_shuffled", "relevance_shuffled"})
    EXPECT_FALSE(context.metric(name, std::map<std::string, double>{}).available) << name;
}

TEST(NormControl, NeedsAModelThatCanBeAsked) {
  struct WithEncoder : FakeModel {
    bool has_encoder() const override { return true; }
  };
  WithEncoder encoder;
  FakeModel decoder, bidirectional;
  bidirectional.is_causal = false;
  const auto findings = [](const Model& model, const char* view) {
    Assembly assembly;
    assembly.model = &model;
    return make<Evaluator>("norm_control", {{"view", view}})->validate(assembly);
  };
  EXPECT_THAT(findings(decoder, "demo"), ::testing::IsEmpty());
  EXPECT_THAT(findings(encoder, "controlled"), ::testing::IsEmpty());
  EXPECT_THAT(findings(encoder, "demo"), ElementsAre(HasSubstr("view 'demo' asks in the middle")));
  EXPECT_THAT(findings(bidirectional, "plain"), ElementsAre(HasSubstr("use a causal model")));
}

TEST(NormControl, APromptLongerThanARowOfTrainingIsNoted) {
  Context context;
  Made<Evaluator> evaluator("norm_control", json::object());
  for (auto* component : evaluator.all()) component->bind(context.vocabulary());
  const auto findings = [&](int64_t length) {
    return evaluator->check_split({context.world, Split::kValidation, context.vocabulary().tokenizer(), length});
  };
  // The end of text, 29 letters, [attrs], two values and [rot].
  EXPECT_THAT(findings(34).notes, ::testing::IsEmpty());
  EXPECT_THAT(findings(33).notes, ElementsAre(HasSubstr("document 'h1', view 'controlled': the prompt has 34 tokens")));
  EXPECT_THAT(findings(33).faults, ::testing::IsEmpty());
}

}  // namespace
}  // namespace assay::testing
