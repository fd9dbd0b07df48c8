// Losses of middles against sums by hand over the layouts, on a model with known -ln p; and infilling by the test's own
// function.
#include <gmock/gmock.h>

#include <numeric>

#include "../../shared/fim_cuts.h"
#include "../../shared/fim_layout.h"
#include "assay/evaluator.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::vector<std::string> kNames{fim::kPrefixName, fim::kMiddleName, fim::kSuffixName, fim::kPadName};
const fim::Sentinels kSentinels{257, 258, 259, 260};

fim::Ids bytes(const std::string& text) { return {text.begin(), text.end()}; }

struct Cut {
  std::string prefix, middle, suffix;
};
// Uses the draws that the evaluator documents: seed 1, one substream per piece, two uniform positions.
Cut cut_of(const std::string& text, uint64_t piece) {
  const auto [first, second] = fim::draw_cuts(text.size() + 1, true, Draws(1, "fim").substream(piece).substream(0));
  return {text.substr(0, first), text.substr(first, second - first), text.substr(second)};
}

double nll_of(int64_t input, int64_t target, int64_t) {
  return 0.001 * static_cast<double>(input) + static_cast<double>(target);
}

// Sum of nll over the selected tokens after an end of text.
template <class Chosen>
double summed(const fim::Ids& tokens, const Chosen& chosen) {
  double sum = 0;
  for (size_t i = 0; i < tokens.size(); ++i)
    if (chosen(i)) sum += nll_of(i == 0 ? 256 : tokens[i - 1], tokens[i], 0);
  return sum;
}

const std::vector<std::string> kTexts{"abcdefghij", "ABCDEFGHIJ", "0123456789"};

struct Evaluated : FakeEvaluation {
  std::vector<Prompt> prompts_seen;
  explicit Evaluated(json parameters = json::object(), int64_t tokens_at_once = 1024) {
    add_special(kNames);
    at_once = tokens_at_once;
    nll = nll_of;
    data.texts[Split::kValidation] = {kTexts[0] + kTexts[1], kTexts[2] + "rest"};
    decodes = [&](const std::vector<Prompt>& prompts, int64_t tokens) {
      EXPECT_EQ(tokens, 6);
      std::vector<Continuation> made;
      for (const auto& prompt : prompts) {
        prompts_seen.push_back(prompt);
        made.push_back(fills(prompt));
      }
      return made;
    };
    parameters.merge_patch({{"length", 10}, {"tokens", 6}, {"short_middle", 3}});
    const auto evaluator = make<Evaluator>("fim", parameters);
    evaluator->bind(vocabulary());
    evaluator->evaluate(*this);
  }
  double value(const std::string& name) const {
    const auto& found = metric(name, std::map<std::string, double>{});
    return found.sum / found.weight;
  }
  // Returns the missing part of the text that begins with the prompt's prefix; for capitals it does not end.
  static Continuation fills(const Prompt& prompt) {
    std::string letters;
    for (const auto id : prompt.tokens)
      if (id < 256) letters += static_cast<char>(id);
    for (const auto& text : kTexts) {
      std::string missing;
      for (const char letter : text)
        if (letters.find(letter) == std::string::npos) missing += letter;
      if (missing.size() < text.size()) return {{}, missing, 0, text != kTexts[1]};
    }
    return {};
  }
};

TEST(FimEvaluator, LossesAreSumsOverTheLayouts) {
  for (const int64_t at_once : {20, 1024}) {
    const Evaluated run({}, at_once);
    double whole = 0, prefix_only = 0, bytes_in_middles = 0;
    std::map<fim::Layout, double> all, middles;
    for (size_t i = 0; i < kTexts.size(); ++i) {
      const auto [prefix, middle, suffix] = cut_of(kTexts[i], i);
      bytes_in_middles += static_cast<double>(middle.size());
      const auto plain = bytes(kTexts[i]);
      whole += summed(plain, [](size_t) { return true; });
      prefix_only += summed(plain, [&](size_t t) { return t >= prefix.size() && t < prefix.size() + middle.size(); });
      for (const auto layout : {fim::Layout::kPsm, fim::Layout::kSpmV2}) {
        const auto tokens = fim::lay_out(layout, {bytes(prefix), bytes(middle), bytes(suffix)}, kSentinels).tokens;
        all[layout] += summed(tokens, [&](size_t t) { return tokens[t] < 256; });
        middles[layout] += summed(tokens, [&](size_t t) { return t >= tokens.size() - middle.size(); });
      }
    }
    ASSERT_GT(bytes_in_middles, 0);
    EXPECT_NEAR(run.value("ar_nll"), whole / 30, 1e-4);
    EXPECT_NEAR(run.value("middle_nll_prefix"), prefix_only / bytes_in_middles, 1e-4);
    EXPECT_NEAR(run.value("fim_nll_psm"), all[fim::Layout::kPsm] / 30, 1e-4);
    EXPECT_NEAR(run.value("fim_nll_spm_v2"), all[fim::Layout::kSpmV2] / 30, 1e-4);
    EXPECT_NEAR(run.value("middle_nll_psm"), middles[fim::Layout::kPsm] / bytes_in_middles, 1e-4);
    EXPECT_NEAR(run.value("middle_nll_spm_v2"), middles[fim::Layout::kSpmV2] / bytes_in_middles, 1e-4);
    EXPECT_EQ(run.value("pieces"), 3);
    EXPECT_EQ(run.value("split_seams"), 0);  // bytes as tokens have none
    EXPECT_FALSE(run.metric("middle_nll_psm_split", std::map<std::string, double>{}).available);
  }
}

TEST(FimEvaluator, CountsExactMatchesAndEndedMiddles) {
  const Evaluated run;
  EXPECT_NEAR(run.value("exact_match_psm"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(run.value("ended_psm"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(run.value("exact_match_spm_v2"), 2.0 / 3, 1e-12);
  ASSERT_EQ(run.examples.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const auto& [id, numbers, texts] = run.examples[i];
    EXPECT_EQ(texts.at("prefix") + texts.at("middle") + texts.at("suffix"), kTexts[i]);
    EXPECT_GE(texts.at("middle").size(), 1u);
    EXPECT_LE(texts.at("middle").size(), 3u);
    EXPECT_EQ(texts.at("written_psm"), texts.at("middle"));
    EXPECT_EQ(numbers.at("exact_match_psm"), i == 1 ? 0 : 1);
  }
  EXPECT_EQ(run.examples[1].id, "0@10");
  ASSERT_EQ(run.prompts_seen.size(), 6u);
  const auto& first = run.prompts_seen[0];
  const auto& texts = run.examples[0].texts;
  EXPECT_EQ(first.tokens,
            fim::prompt(fim::Layout::kPsm, bytes(texts.at("prefix")), bytes(texts.at("suffix")), kSentinels).tokens);
  EXPECT_EQ(first.segment.front(), segment_of(1, Part::kPrefix));
  EXPECT_EQ(first.segment.back(), segment_of(1, Part::kMiddle));
}

// Rows of a batch: an end of text in document 0, then the parts of document 1.
TEST(FimEvaluator, GivesTheModelThePartOfEachToken) {
  const Evaluated run;
  ASSERT_GE(run.batches.size(), 3u);
  const auto& psm = run.batches[1];
  const auto tokens = values_of<int64_t>(psm.tokens[0]), segments = values_of<int64_t>(psm.segment[0]);
  EXPECT_EQ(segments[0], 0);
  EXPECT_EQ(tokens[0], 256);
  int64_t part = 0;
  for (size_t i = 1; i < tokens.size(); ++i) {
    part = tokens[i] == 257 ? 1 : tokens[i] == 258 ? 2 : tokens[i] == 259 ? 3 : part;
    EXPECT_EQ(segments[i], 4 + part) << i;
  }
}

TEST(FimEvaluator, CutsBeforeAStringAndSkipsPiecesWithoutIt) {
  const Evaluated run(json{{"cut_before", "c"}});
  EXPECT_EQ(run.value("pieces"), 1);
  EXPECT_LE(run.examples[0].texts.at("prefix").size() + run.examples[0].texts.at("middle").size(), 2u);
  EXPECT_THAT(
      [] {
        Evaluated(json{{"cut_before", "never there"}});
      },
      ThrowsMessage<UserError>(HasSubstr("contains 'never there'")));
}

// Three texts in two layouts: three sequences of 14 tokens are scored for each, two are filled in with 6 tokens more.
TEST(FimEvaluator, PlansItsMetricsAndReportsProgress) {
  const Evaluated run;
  EXPECT_EQ(named(make<Evaluator>("fim", json::object())->planned_metrics({})), named(run.metrics));
  const double all = 3 * 14 + 2 * 20;
  EXPECT_THAT(run.shares, ::testing::Pointwise(::testing::DoubleNear(1e-12),
                                               std::vector<double>{14 / all, 28 / all, 42 / all, 62 / all, 1}));
}

TEST(FimEvaluator, RefusesInvalidConfigurations) {
  FakeModel model;
  const auto findings = [&](const json& parameters) {
    Assembly assembly;
    assembly.model = &model;
    return make<Evaluator>("fim", parameters)->validate(assembly);
  };
  EXPECT_THAT(findings(json::object()), ElementsAre());
  EXPECT_THAT(findings({{"layouts", json::array()}}), ElementsAre(HasSubstr("has no layouts")));
  model.longest = 123;
  EXPECT_THAT(findings(json::object()), ElementsAre(HasSubstr("model's limit of 123 positions")));
  model.longest = 124;
  EXPECT_THAT(findings(json::object()), ElementsAre());
  model.is_causal = false;
  EXPECT_THAT(findings(json::object()), ElementsAre(HasSubstr("bidirectional")));
}

}  // namespace
}  // namespace assay::testing
