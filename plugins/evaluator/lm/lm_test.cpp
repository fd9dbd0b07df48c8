// Language-model evaluation against a model with known probabilities: exact totals, every byte once.
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <cmath>

#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Shapes = std::vector<std::pair<int64_t, int64_t>>;

constexpr int64_t kEnd = 256;

// -ln p = 1 + position in the block, so that a total shows how the stream was divided.
double by_place(int64_t, int64_t, int64_t position) { return 1.0 + static_cast<double>(position); }

struct Evaluated : FakeEvaluation {
  Evaluated(const std::vector<std::string>& texts, const json& parameters, FakeForward::Nll model_nll,
            int64_t tokens_at_once = 1024) {
    data.texts[Split::kValidation] = texts;
    data.texts[Split::kTrain] = {"not this"};
    nll = std::move(model_nll);
    at_once = tokens_at_once;
    make<Evaluator>("lm", parameters)->evaluate(*this);
  }
  Shapes shapes() const {
    Shapes out;
    for (const auto& batch : batches) out.emplace_back(batch.rows(), batch.length());
    return out;
  }
  std::vector<int64_t> inputs() const {
    return joined([](const Batch& batch) { return batch.tokens; });
  }
  std::vector<int64_t> targets() const {
    return joined([](const Batch& batch) { return batch.targets; });
  }

 private:
  template <class Member>
  std::vector<int64_t> joined(Member member) const {
    std::vector<int64_t> out;
    for (const auto& batch : batches)
      for (const auto id : values_of<int64_t>(member(batch))) out.push_back(id);
    return out;
  }
};

// Five predictions: in blocks of two each token is read once, in windows that advance by one every token is read twice.
TEST(LanguageModel, ReportsProgressByTokensRead) {
  const Evaluated got({"ab", "c"}, {{"lengths", {2}}, {"strides", {1}}}, by_place, /*tokens_at_once=*/2);
  std::vector<double> fifteenths;
  for (const auto share : got.shares) fifteenths.push_back(15 * share);
  using ::testing::DoubleNear;
  EXPECT_THAT(fifteenths,
              ElementsAre(DoubleNear(2, 1e-9), DoubleNear(4, 1e-9), DoubleNear(5, 1e-9), DoubleNear(9, 1e-9),
                          DoubleNear(11, 1e-9), DoubleNear(13, 1e-9), DoubleNear(15, 1e-9)));
}

TEST(LanguageModel, ScoresEveryByteAndEveryEndOfTextOnce) {
  const Evaluated got({"ab", "c"}, {{"lengths", {2}}}, by_place);
  EXPECT_THAT(got.inputs(), ElementsAre(kEnd, 'a', 'b', kEnd, 'c'));
  EXPECT_THAT(got.targets(), ElementsAre('a', 'b', kEnd, 'c', kEnd));
  EXPECT_EQ(got.shapes(), (Shapes{{2, 2}, {1, 1}}));  // the last partial block is kept
  EXPECT_EQ(got.metric("nll", 2).sum, 1 + 2 + 1 + 2 + 1);
  EXPECT_EQ(got.metric("nll", 2).weight, 5);
  EXPECT_EQ(got.value("tokens", 2), 5);
  EXPECT_DOUBLE_EQ(got.value("perplexity", 2), 4.0551999668446745);              // e^(7/5)
  EXPECT_DOUBLE_EQ(got.value("bits_per_byte", 2), 7 / 0.69314718055994531 / 3);  // 3 bytes of text
}

TEST(LanguageModel, EveryLengthHasItsOwnMetrics) {
  const Evaluated got({"ab", "c"}, {{"lengths", {1, 5, 100}}}, by_place);
  EXPECT_EQ(got.metrics.size(), 12u);
  EXPECT_EQ(got.metric("nll", 1).sum, 5);
  EXPECT_EQ(got.metric("nll", 5).sum, 1 + 2 + 3 + 4 + 5);
  EXPECT_EQ(got.metric("nll", 100).sum, 1 + 2 + 3 + 4 + 5);
  for (const double length : {1, 5, 100}) EXPECT_EQ(got.value("tokens", length), 5);
}

// "ab" and "c" with their ends are 5 predictions.
TEST(LanguageModel, NotesLengthsWithoutAWindow) {
  const Evaluated got({"ab", "c"}, {{"lengths", {5, 6}}, {"strides", {2}}}, by_place);
  for (const auto& metric : got.metrics)
    EXPECT_EQ(metric.note,
              metric.coordinates.at("length") > 5 ? "no window is so long, for 5 tokens are scored in all" : "");
  const auto noted = [&](const json& parameters) {
    const auto found = make<Evaluator>("lm", parameters)
                           ->check_split({got.dataset(), Split::kValidation, got.vocabulary().tokenizer(), 5});
    EXPECT_THAT(found.faults, ::testing::IsEmpty());
    return found.notes;
  };
  EXPECT_THAT(noted({{"lengths", {6, 7}}}),
              ElementsAre("length = 7: no window is so long, for 5 tokens are scored in all"));
  EXPECT_THAT(noted({{"max_tokens", 3}}),
              ElementsAre("length = 5: no window is so long, for 3 tokens are scored in all"));
  EXPECT_THAT(noted({{"max_tokens", 5}}), ::testing::IsEmpty());
}

TEST(LanguageModel, ALengthGivenTwiceIsScoredOnce) {
  const Evaluated got({"ab", "c"}, {{"lengths", {2, 5, 2}}, {"strides", {1, 1}}}, by_place);
  EXPECT_EQ(got.metrics.size(), 4 * 4u);
  EXPECT_EQ(got.batches.size(), 5u);  // blocks of 2 and the rest, windows of 2, a block and a window of 5
}

// The context length with which each of N predictions was scored. Documents of one byte make two predictions each, the
// byte and the end, which the factor 100 separates in a document's sum; a prediction that is scored twice would show in
// it, too.
std::vector<int64_t> contexts(int64_t N, int64_t length, int64_t stride, int64_t tokens_at_once = 1024) {
  const Evaluated got(
      std::vector<std::string>(static_cast<size_t>(N + 1) / 2, "x"),
      {{"lengths", {length}}, {"strides", {stride}}, {"max_tokens", N}},
      [](int64_t, int64_t target, int64_t place) {
        return (target == kEnd ? 100.0 : 1.0) * static_cast<double>(place);
      },
      tokens_at_once);
  const auto name = "nll@length=" + std::to_string(length) + ",stride=" + std::to_string(stride);
  std::vector<int64_t> seen;
  double total = 0;
  for (const auto& row : got.examples) {
    const auto sum = row.numbers.at(name);
    total += sum;
    seen.push_back(static_cast<int64_t>(sum) % 100);
    if (row.numbers.at("tokens") == 2) seen.push_back(static_cast<int64_t>(sum) / 100);
  }
  const auto& nll = got.metric("nll", {{"length", length}, {"stride", stride}});
  EXPECT_EQ(nll.sum, total);
  EXPECT_EQ(nll.weight, N);
  return seen;
}

TEST(LanguageModel, WindowAccounting) {
  EXPECT_THAT(contexts(8, 4, 4), ElementsAre(0, 1, 2, 3, 0, 1, 2, 3));
  EXPECT_THAT(contexts(8, 4, 1), ElementsAre(0, 1, 2, 3, 3, 3, 3, 3));
  EXPECT_THAT(contexts(8, 4, 2), ElementsAre(0, 1, 2, 3, 2, 3, 2, 3));
  EXPECT_THAT(contexts(8, 4, 3), ElementsAre(0, 1, 2, 3, 1, 2, 3, 1));  // the last window holds two tokens
  EXPECT_THAT(contexts(9, 4, 2), ElementsAre(0, 1, 2, 3, 2, 3, 2, 3, 2));
  EXPECT_THAT(contexts(3, 4, 2), ElementsAre(0, 1, 2));  // shorter than a window
  EXPECT_THAT(contexts(4, 4, 1), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(contexts(5, 1, 1), ElementsAre(0, 0, 0, 0, 0));
  for (const int64_t tokens_at_once : {1, 8, 12}) EXPECT_EQ(contexts(23, 4, 3, tokens_at_once), contexts(23, 4, 3));
}

TEST(LanguageModel, WindowsIncludePrecedingTokens) {
  const Evaluated got({"abcdefg"}, {{"lengths", {4}}, {"strides", {2}}}, by_place);
  EXPECT_EQ(got.shapes(), (Shapes{{2, 4}, {3, 4}}));
  EXPECT_THAT(values_of<int64_t>(got.batches[1].tokens),
              ElementsAre(kEnd, 'a', 'b', 'c', 'b', 'c', 'd', 'e', 'd', 'e', 'f', 'g'));
  EXPECT_THAT(values_of<int64_t>(got.batches[1].targets),
              ElementsAre('a', 'b', 'c', 'd', 'c', 'd', 'e', 'f', 'e', 'f', 'g', kEnd));
}

TEST(LanguageModel, AStrideOfTheLengthEqualsBlocks) {
  const Evaluated got({"some", "more text"}, {{"lengths", {4}}, {"strides", {4, 3}}}, by_place);
  for (const char* name : {"nll", "perplexity", "bits_per_byte", "tokens"}) {
    EXPECT_EQ(got.metric(name, {{"length", 4}, {"stride", 4}}).sum, got.metric(name, 4).sum);
    EXPECT_EQ(got.metric(name, {{"length", 4}, {"stride", 4}}).weight, got.metric(name, 4).weight);
  }
  EXPECT_GT(got.metric("nll", {{"length", 4}, {"stride", 3}}).sum, got.metric("nll", 4).sum);
}

TEST(LanguageModel, StridesMayNotLeaveGaps) {
  const auto lm = make<Evaluator>("lm", {{"lengths", {8, 4}}, {"strides", {4, 5}}});
  FakeModel model;
  Assembly assembly;
  assembly.model = &model;
  ASSERT_EQ(lm->validate(assembly).size(), 1u);
  EXPECT_THAT(lm->validate(assembly)[0], HasSubstr("a stride of 5 would skip tokens between windows of 4"));
  assembly.context = 64;
  EXPECT_TRUE(make<Evaluator>("lm", {{"strides", {64}}})->validate(assembly).empty());
  EXPECT_EQ(make<Evaluator>("lm", {{"strides", {65}}})->validate(assembly).size(), 1u);
}

// The losses of "ab" and its end, and of "c" and its end: 1 2 1 | 2 1 in blocks of 2.
TEST(LanguageModel, EveryDocumentHasItsOwnRow) {
  const Evaluated got({"ab", "c", ""}, {{"lengths", {2, 100}}, {"strides", {1}}}, by_place);
  ASSERT_EQ(got.examples.size(), 3u);
  const auto& [id, numbers, texts] = got.examples[0];
  EXPECT_EQ(id, "0");
  EXPECT_EQ(numbers, (std::map<std::string, double>{{"tokens", 3},
                                                    {"bytes", 2},
                                                    {"nll@length=2", 1 + 2 + 1},
                                                    {"nll@length=2,stride=1", 1 + 2 + 2},
                                                    {"nll@length=100", 1 + 2 + 3},
                                                    {"nll@length=100,stride=1", 1 + 2 + 3}}));
  EXPECT_TRUE(texts.empty());
  EXPECT_EQ(got.examples[1].numbers.at("nll@length=2"), 2 + 1);
  EXPECT_EQ(got.examples[1].numbers.at("tokens"), 2);
  EXPECT_EQ(got.examples[2].numbers.at("nll@length=2"), 2);  // an empty document is its end
  EXPECT_EQ(got.examples[2].numbers.at("bytes"), 0);
}

TEST(LanguageModel, BatchesHoldTheTokensPerForward) {
  const std::vector<std::string> text{std::string(20, 'x')};  // 21 predictions
  EXPECT_EQ(Evaluated(text, {{"lengths", {4}}}, by_place, 8).shapes(), (Shapes{{2, 4}, {2, 4}, {1, 4}, {1, 1}}));
  EXPECT_EQ(Evaluated(text, {{"lengths", {16}}}, by_place, 8).shapes(), (Shapes{{1, 16}, {1, 5}}));
  EXPECT_EQ(Evaluated(text, {{"lengths", {7}}}, by_place, 1000).shapes(), (Shapes{{3, 7}}));
  EXPECT_EQ(Evaluated(text, {{"lengths", {4}}}, by_place, 8).metric("nll", 4).sum,
            Evaluated(text, {{"lengths", {4}}}, by_place, 1000).metric("nll", 4).sum);
}

TEST(LanguageModel, UniformModel) {
  const Evaluated got({"some text", "more"}, {{"lengths", {8}}},
                      [](int64_t, int64_t, int64_t) { return std::log(257.0); });
  EXPECT_NEAR(got.value("perplexity", 8), 257, 1e-4);
  EXPECT_NEAR(got.value("nll", 8), 5.5490760848952201, 1e-6);
  EXPECT_NEAR(got.value("bits_per_byte", 8), 8.0056245491938789 * 15 / 13, 1e-6);  // 15 predictions, 13 bytes
}

TEST(LanguageModel, UnitsAndDirections) {
  const Evaluated got({"a"}, {{"lengths", {2}}}, by_place);
  EXPECT_EQ(got.metric("nll", 2).unit, "nats/token");
  EXPECT_EQ(got.metric("bits_per_byte", 2).unit, "bits/byte");
  EXPECT_EQ(got.metric("tokens", 2).unit, "tokens");
  EXPECT_EQ(got.metric("tokens", 2).direction, Direction::kNone);
  for (const char* name : {"nll", "perplexity", "bits_per_byte"})
    EXPECT_EQ(got.metric(name, 2).direction, Direction::kLower);
  for (const auto& metric : got.metrics) EXPECT_TRUE(metric.available);
}

TEST(LanguageModel, MaxTokensTakesAPrefix) {
  const Evaluated inside({"ab", "cdef"}, {{"lengths", {2}}, {"max_tokens", 4}}, by_place);
  EXPECT_THAT(inside.targets(), ElementsAre('a', 'b', kEnd, 'c'));
  EXPECT_EQ(inside.metric("bits_per_byte", 2).weight, 3);  // a, b, c
  const Evaluated at_end({"ab", "cdef"}, {{"lengths", {2}}, {"max_tokens", 2}}, by_place);
  EXPECT_THAT(at_end.targets(), ElementsAre('a', 'b'));
  EXPECT_EQ(at_end.metric("bits_per_byte", 2).weight, 2);
  const Evaluated more({"ab", "cdef"}, {{"lengths", {2}}, {"max_tokens", 1000}}, by_place);
  EXPECT_EQ(more.value("tokens", 2), 8);
  EXPECT_EQ(more.metric("bits_per_byte", 2).weight, 6);
}

TEST(LanguageModel, TheTrainingContextIsTheDefaultLength) {
  const Evaluated got({"abc"}, json::object(), by_place);
  EXPECT_EQ(got.metrics.size(), 4u);
  EXPECT_EQ(got.value("tokens", 64), 4);
}

TEST(LanguageModel, LengthsBeyondTheModelsLimitAreNotAvailable) {
  FakeEvaluation context;
  context.data.texts[Split::kValidation] = {"abcdef"};
  context.nll = by_place;
  context.fake_model.longest = 4;
  make<Evaluator>("lm", {{"lengths", {4, 5}}})->evaluate(context);
  for (const char* name : {"nll", "perplexity", "bits_per_byte", "tokens"}) {
    EXPECT_TRUE(context.metric(name, 4).available) << name;
    EXPECT_FALSE(context.metric(name, 5).available) << name;
  }
  for (const auto& batch : context.batches) EXPECT_LE(batch.length(), 4);
  EXPECT_EQ(context.examples.at(0).numbers.count("nll@length=5"), 0u);
}

TEST(LanguageModel, OtherSplitsOnRequest) {
  FakeEvaluation context;
  context.data.texts[Split::kTest] = {"xyz"};
  context.on = Split::kTest;
  context.nll = by_place;
  make<Evaluator>("lm")->evaluate(context);
  EXPECT_EQ(context.value("tokens", 64), 4);
}

TEST(LanguageModel, ASplitWithoutTextIsAnError) {
  FakeEvaluation context;
  context.nll = by_place;
  try {
    make<Evaluator>("lm")->evaluate(context);
    FAIL() << "scored nothing";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the split 'validation' contains no text to score"));
  }
}

TEST(LanguageModel, BidirectionalModelsAreRefusedAtPlanTime) {
  FakeModel model;
  Assembly assembly;
  assembly.model = &model;
  EXPECT_TRUE(make<Evaluator>("lm")->validate(assembly).empty());
  model.is_causal = false;
  EXPECT_EQ(make<Evaluator>("lm")->validate(assembly).size(), 1u);
}

// The model always predicts the byte after its input, which is right for "ab" and "bc"; a prediction that is in the
// window up to the input counts as repeated.
TEST(LanguageModel, CountsPredictions) {
  FakeEvaluation got;
  got.data.texts[Split::kValidation] = {"abcb", "b"};
  got.nll = by_place;
  got.logits = [](const Batch& batch) {
    auto logits = at::zeros({batch.rows(), batch.length(), 257});
    for (int64_t row = 0; row < batch.rows(); ++row)
      for (int64_t t = 0; t < batch.length(); ++t) {
        const auto id = batch.tokens[row][t].item<int64_t>();
        logits[row][t][id == 'c' ? 'b' : id == 256 ? 256 : id + 1] = 1;
      }
    return logits;
  };
  make<Evaluator>("lm", {{"lengths", {7}}, {"accuracy", true}})->evaluate(got);
  // inputs:  end a b c b end b
  // targets: a   b c b end b end
  // guesses: end b c b c end c
  EXPECT_NEAR(got.value("accuracy", 7), 3 / 7.0, 1e-12);  // b, c, b
  EXPECT_NEAR(got.value("rep", 7), 5 / 7.0, 1e-12);       // end, b, c, end, c
  EXPECT_NEAR(got.value("wrep", 7), 4 / 7.0, 1e-12);
  // In overlapping windows of three, each prediction counts once, with the tokens of its own window:
  // end a b | c b end | b
  FakeEvaluation shorter;
  shorter.data.texts = got.data.texts;
  shorter.nll = by_place;
  shorter.logits = got.logits;
  make<Evaluator>("lm", {{"lengths", {3}}, {"accuracy", true}})->evaluate(shorter);
  EXPECT_NEAR(shorter.value("accuracy", 3), 3 / 7.0, 1e-12);
  EXPECT_NEAR(shorter.value("rep", 3), 3 / 7.0, 1e-12);  // end; then c, end
  make<Evaluator>("lm", {{"lengths", {3}}, {"strides", {2}}, {"accuracy", true}})->evaluate(shorter);
  EXPECT_NEAR(shorter.metric("accuracy", {{"length", 3}, {"stride", 2}}).weight, 7, 0);
  EXPECT_EQ(shorter.metric("accuracy", {{"length", 3}, {"stride", 2}}).sum, 3);
}

}  // namespace
}  // namespace assay::testing
