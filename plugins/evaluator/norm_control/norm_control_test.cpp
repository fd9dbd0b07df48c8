// Text overlap as nltk and rouge-score compute it; control, relevance and choice with their baselines on texts that a
// test writes.
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>

#include <cmath>

#include "../../shared/norm_views.h"
#include "../../shared/planted_norms.h"
#include "../shares.h"
#include "../text_overlap.h"
#include "../text_overlap_vectors.h"
#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(TextOverlap, IsThatOfTheLibraries) {
  ASSERT_GE(overlap::kOverlapVectors.size(), 24u);
  for (const auto& vector : overlap::kOverlapVectors) {
    std::vector<std::vector<std::string>> references;
    for (const auto& reference : vector.references) references.push_back(overlap::lower_words(reference));
    const std::string hypothesis(vector.hypothesis);
    EXPECT_NEAR(overlap::bleu4(references, overlap::lower_words(hypothesis)), vector.bleu, 1e-12) << hypothesis;
    const auto rouge = overlap::rouge_l(vector.references.front(), hypothesis);
    EXPECT_NEAR(rouge.precision, vector.precision, 1e-12) << hypothesis;
    EXPECT_NEAR(rouge.recall, vector.recall, 1e-12) << hypothesis;
    EXPECT_NEAR(rouge.f, vector.f, 1e-12) << hypothesis;
  }
  const auto same = overlap::lower_words("It is good to share");
  EXPECT_DOUBLE_EQ(overlap::bleu4({same}, same), 1);
}

// Values of the formula in Python; the first is the example that textbooks give, 0.490 to 0.943.
TEST(Shares, Wilson) {
  const auto interval = [](double hits, double all) { return evaluation::wilson({hits, all}); };
  EXPECT_NEAR(interval(8, 10).low, 0.490162471537, 1e-11);
  EXPECT_NEAR(interval(8, 10).high, 0.943317848546, 1e-11);
  EXPECT_NEAR(interval(0, 20).low, 0.000000000000, 1e-11);
  EXPECT_NEAR(interval(0, 20).high, 0.161125158053, 1e-11);
  EXPECT_NEAR(interval(50, 50).low, 0.928652400867, 1e-11);
  EXPECT_NEAR(interval(50, 50).high, 1.000000000000, 1e-11);
  EXPECT_EQ(interval(0, 0).high, 1);
}

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
  // The text of the row two places away: categories never, foundations never, agreement of rows 1 (surely), 3, 4.
  EXPECT_EQ(context.value("rot-categorization_shuffled"), 0);
  EXPECT_EQ(context.value("rot-moral-foundations_shuffled"), 0);
  EXPECT_EQ(context.value("rot-agree_shuffled"), 0.75);
  EXPECT_EQ(context.value("control_shuffled"), 3.0 / 12);
  EXPECT_NEAR(context.value("control_low"), evaluation::wilson({9, 12}).low, 1e-15);
  // An attribute that is shown and not asked for is reported, and is no part of control.
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
  // Two places away: all, advice and all are right.
  EXPECT_DOUBLE_EQ(context.value("choice_f1_shuffled"), 2.0 * 3 / (10 + 8));
  EXPECT_EQ(context.metric("choice_f1_majority", std::map<std::string, double>{}).direction, Direction::kNone);
}

// A classifier that is another run: it reads the fields and the text, and its classes are values of the attribute.
class OtherRun final : public TrainedRun {
 public:
  class ByLength final : public Objective {
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
  Model& model() override { throw Bug("not for this test"); }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  Forward& forward(const Batch& batch) override {
    lengths.push_back(batch.key_mask.sum(1));
    return *(forward_ = std::make_unique<FakeForward>(batch, nullptr));
  }
  Objective* classifier() override { return &classifier_; }
  std::vector<Tensor> lengths;

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
  EXPECT_EQ(context.value("classified_action-moral-judgment_shuffled"), 0.5);
  EXPECT_EQ(values_of<int64_t>(run.lengths.at(0)), (std::vector<int64_t>{32, 33, 33, 34}));
}

}  // namespace
}  // namespace assay::testing
