// Repetition against the reference's values; metrics of given continuations, of the text that really follows, and of
// the nll under another run.
#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <functional>

#include "assay/evaluator.h"
#include "fake_decoding.h"
#include "fakes.h"
#include "repetition.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using repetition::Counting;
using repetition::Repetition;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Repetition of_texts(const std::vector<std::string>& texts, Counting counting) {
  Repetition all;
  all.counting = counting;
  for (const auto& text : texts) all.add(repetition::words(text));
  return all;
}

void expect_repetition(const std::string& text, Counting counting, const std::vector<double>& rep, double diversity) {
  const auto got = of_texts({text}, counting);
  for (int64_t n = 2; n <= 4; ++n)
    EXPECT_NEAR(repetition::rep(got.of(n)), rep[static_cast<size_t>(n - 2)], 0.005) << text << " n " << n;
  EXPECT_NEAR(got.diversity(), diversity, 5e-6) << text;
}

// The columns "reference" and "all n-grams": the values of the reference's rep-n function and of the corrected count.
TEST(Repetition, MatchesTheReferenceAndTheCorrectedCounts) {
  const std::string ab = "a b a b a b a b", cat = "the cat sat on the mat the cat sat on the mat";
  expect_repetition(ab, Counting::kReference, {66.67, 60.0, 50.0}, .06666);
  expect_repetition(ab, Counting::kAll, {71.43, 66.67, 60.0}, .03809);
  expect_repetition(cat, Counting::kReference, {40.0, 33.33, 25.0}, .300015);
  expect_repetition(cat, Counting::kAll, {45.45, 40.0, 33.33}, .218211);
  expect_repetition("a b c d e f g h", Counting::kReference, {0, 0, 0}, 1);
  expect_repetition("a b c d e f g h", Counting::kAll, {0, 0, 0}, 1);
}

// Counts are added over texts, and n-grams of another text do not count as repetitions.
TEST(Repetition, PoolsCountsOfTexts) {
  const auto got = of_texts({"a b a b", "a b", "a"}, Counting::kAll);
  EXPECT_EQ(got.of(2).all, 3 + 1);
  EXPECT_EQ(got.of(2).different, 2 + 1);
  EXPECT_TRUE(std::isnan(of_texts({"a b", ""}, Counting::kAll).diversity()));
  EXPECT_THAT(repetition::words(" a\tbc\n\nd "), ElementsAre("a", "bc", "d"));
}

// Another run with -ln p = token - 90, which also uses bytes as tokens.
class Judge final : public FakeTrainedRun {
 public:
  Model& model() override { return model_; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  Forward& forward(const Batch& batch) override {
    batches.push_back(batch);
    return last_.emplace(batch, [](int64_t, int64_t target, int64_t) { return static_cast<double>(target - 90); });
  }
  std::vector<Batch> batches;
  FakeModel model_;

 private:
  Made<Tokenizer> tokenizer_ = make<Tokenizer>("bytes");
  Vocabulary vocabulary_{*tokenizer_, 257, {{kEndOfText, 256}}};
  std::optional<FakeForward> last_;
};

// Prompts of two bytes and continuations of eight; two of them fit in the text.
struct Written : FakeEvaluation {
  Judge judge;
  std::vector<std::string> prompts_seen;
  Written(
      json parameters, const std::vector<std::string>& texts, int64_t tokens_at_once = 1024,
      const std::function<void(Judge&)>& prepare = [](Judge&) {}) {
    prepare(judge);
    at_once = tokens_at_once;
    data.texts[Split::kValidation] = {"P:a b c d Q:e e e e ", "R:f g h i"};
    size_t next = 0;
    decodes = [&](const std::vector<Prompt>& prompts, int64_t tokens) {
      EXPECT_EQ(tokens, 8);
      std::vector<Continuation> made;
      for (const auto& prompt : prompts) {
        prompts_seen.emplace_back(prompt.tokens.begin(), prompt.tokens.end());
        const auto& text = texts.at(next++);
        made.push_back({{text.begin(), text.end()}, text, -2.0 * static_cast<double>(text.size()), text.size() < 8});
      }
      return made;
    };
    others = [&](const RunReference& run) -> TrainedRun& {
      EXPECT_EQ(run.folder, "/other");
      return judge;
    };
    parameters.merge_patch({{"prompt_tokens", 2}, {"tokens", 8}});
    make<Evaluator>("generation", parameters)->evaluate(*this);
  }
  const Metric& of(const std::string& name) const { return metric(name, std::map<std::string, double>{}); }
  double value(const std::string& name) const { return of(name).sum / of(name).weight; }
};

TEST(Generation, CountsContinuationsAndHumanText) {
  for (const int64_t at_once : {10, 1024}) {
    const Written got({}, {"x x x x ", "y z"}, at_once);
    EXPECT_THAT(got.prompts_seen, ElementsAre("P:", "Q:"));
    EXPECT_NEAR(got.value("rep_2"), 100.0 * 2 / 4, 1e-12);  // x x three times, y z once
    EXPECT_NEAR(got.value("rep_3"), 50, 1e-12);
    EXPECT_NEAR(got.value("rep_4"), 0, 1e-12);
    EXPECT_NEAR(got.value("diversity"), .5 * .5, 1e-12);
    EXPECT_NEAR(got.value("rep_2_reference"), 50, 1e-12);  // x x twice
    EXPECT_FALSE(got.of("rep_4_reference").available);
    EXPECT_FALSE(got.of("diversity_reference").available);
    EXPECT_NEAR(got.value("human_rep_2"), 100.0 * 2 / 6, 1e-12);  // a b c d has none, e e e e two of three
    EXPECT_NEAR(got.value("distinct_1"), 3.0 / 6, 1e-12);         // x y z of six words
    EXPECT_NEAR(got.value("human_distinct_1"), 5.0 / 8, 1e-12);
    EXPECT_NEAR(got.value("length"), (8 + 3) / 2.0, 1e-12);
    EXPECT_NEAR(got.value("ended"), .5, 1e-12);
    EXPECT_NEAR(got.value("nll"), 2.0 * 11 / 12, 1e-12);  // the end of text is a token
    EXPECT_EQ(got.value("prompts"), 2);
    ASSERT_EQ(got.examples.size(), 2u);
    EXPECT_EQ(got.examples[0].id, "0@0");
    EXPECT_EQ(got.examples[1].id, "0@10");
    EXPECT_EQ(got.examples[1].texts.at("prompt"), "Q:");
    EXPECT_EQ(got.examples[1].texts.at("continuation"), "y z");
    EXPECT_EQ(got.examples[1].texts.at("human"), "e e e e ");
    // The values of the examples add up to the metrics' sums and weights, so that texts can be resampled.
    for (const auto& [number, weight, metric] : std::vector<std::array<const char*, 3>>{
             {"rep_2", "ngrams_2", "rep_2"}, {"rep_4", "ngrams_4", "rep_4"}, {"nll", "scored", "nll"}}) {
      const auto total = [&](const char* name) {
        return got.examples[0].numbers.at(name) + got.examples[1].numbers.at(name);
      };
      EXPECT_NEAR(total(number), got.of(metric).sum, 1e-12) << number;
      EXPECT_NEAR(total(weight), got.of(metric).weight, 1e-12) << weight;
    }
    EXPECT_NEAR(got.examples[0].numbers.at("rep_2"), 200, 1e-12);
  }
}

TEST(Generation, CountsTokensOnRequest) {
  const Written got({{"unit", "tokens"}}, {"xxxx", "yz"});
  EXPECT_NEAR(got.value("rep_2"), 100.0 * 2 / 4, 1e-12);
  EXPECT_NEAR(got.value("distinct_2"), 2.0 / 4, 1e-12);
}

// a is 97, so -ln p is 7; x is 120, so 30; a space is 32, so -58.
TEST(Generation, MeasuresNllUnderAnotherRun) {
  for (const int64_t at_once : {4, 1024}) {
    const Written got({{"judge", {{"path", "/other"}, {"sha256", "w"}}}}, {"aax", ""}, at_once);
    EXPECT_NEAR(got.value("judge_nll"), (7 + 7 + 30) / 3.0, 1e-6);
    EXPECT_EQ(got.of("judge_nll").weight, 3);
    EXPECT_NEAR(got.value("human_judge_nll"), (7 + 8 + 9 + 10 + 4 * 11 - 8 * 58) / 16.0, 1e-6);
    EXPECT_NEAR(got.examples[0].numbers.at("judge_nll"), 44, 1e-6);
    EXPECT_EQ(got.examples[0].numbers.at("judge_tokens"), 3);
    EXPECT_EQ(got.examples[1].numbers.at("judge_tokens"), 0);
    const auto first = values_of<int64_t>(got.judge.batches.at(0).tokens);
    EXPECT_THAT(std::vector<int64_t>(first.begin(), first.begin() + 5), ElementsAre(256, 'P', ':', 'a', 'a'));
  }
}

TEST(Generation, PlansItsMetrics) {
  const json with_judge = {{"judge", {{"path", "/other"}, {"sha256", "w"}}}};
  for (const auto& parameters : {json::object(), with_judge})  // nothing is generated, so there are no n-grams
    EXPECT_EQ(named(make<Evaluator>("generation", parameters)->planned_metrics({})),
              named(Written(parameters, {"", ""}).metrics));
}

// Decodes in four steps.
struct InSteps : FakeEvaluation {
  std::vector<Continuation> decode(Decoder& decoder, const std::vector<Prompt>& prompts, int64_t) override {
    struct Step : FakeDecoding {
      using FakeDecoding::FakeDecoding;
      int64_t steps() const override { return 4; }
    };
    for (int64_t step = 0; step < 4; ++step) {
      Step context(at::zeros({static_cast<int64_t>(prompts.size()), 257}), step);
      decoder.next(context);
    }
    return std::vector<Continuation>(prompts.size());
  }
};

// Two prompts, one after the other; a judge reads twice as many tokens as are decoded, the short texts in one batch.
TEST(Generation, ReportsProgress) {
  InSteps steps;
  steps.at_once = 10;
  steps.data.texts[Split::kValidation] = {"P:a b c d ", "Q:e f g h "};
  const json parameters = {{"prompt_tokens", 2}, {"tokens", 8}};
  make<Evaluator>("generation", parameters)->evaluate(steps);
  EXPECT_THAT(steps.shares, ElementsAre(0, .125, .25, .375, .5, .5, .625, .75, .875, 1));
  const Written judged({{"judge", {{"path", "/other"}, {"sha256", "w"}}}}, {"aax", "y"}, 10);
  std::vector<double> sixths;
  for (const auto share : judged.shares) sixths.push_back(share * 6);
  EXPECT_THAT(sixths, ::testing::Pointwise(::testing::DoubleEq(), std::vector<double>{1, 2, 4, 5, 6}));
}

// A text that the judge cannot read is n/a, and so is an empty one; the other side keeps its value.
TEST(Generation, AJudgeWithAShorterLimit) {
  const json with_judge = {{"judge", {{"path", "/other"}, {"sha256", "w"}}}};
  EXPECT_FALSE(Written(with_judge, {"", ""}).of("judge_nll").available);
  EXPECT_TRUE(Written(with_judge, {"", ""}).of("human_judge_nll").available);
  const Written limited(with_judge, {"ab", "c"}, 1024, [](Judge& judge) { judge.model_.longest = 5; });
  EXPECT_TRUE(limited.of("judge_nll").available);
  EXPECT_FALSE(limited.of("human_judge_nll").available);
  EXPECT_THAT(
      [&] {
        Written(with_judge, {"ab", "c"}, 1024, [](Judge& judge) { judge.model_.is_causal = false; });
      },
      ::testing::ThrowsMessage<UserError>(HasSubstr("the judge's model is bidirectional")));
}

TEST(Generation, RefusesInvalidConfigurations) {
  const auto findings = [](const json& parameters, FakeModel& model) {
    Assembly assembly;
    assembly.model = &model;
    return make<Evaluator>("generation", parameters)->validate(assembly);
  };
  FakeModel model;
  EXPECT_THAT(findings(json::object(), model), ElementsAre());
  model.longest = 159;
  EXPECT_THAT(findings(json::object(), model), ElementsAre(HasSubstr("model's limit of 159 positions")));
  model.longest = 160;
  EXPECT_THAT(findings(json::object(), model), ElementsAre());
  EXPECT_THAT(findings({{"decoder", "contrastive"}}, model), ElementsAre(HasSubstr("new tokens with candidates")));
  model.longest = {};
  model.is_causal = false;
  EXPECT_THAT(findings(json::object(), model), ElementsAre(HasSubstr("bidirectional")));
}

}  // namespace
}  // namespace assay::testing
