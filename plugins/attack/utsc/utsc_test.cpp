// Selection by scores, and utterances that begin with a unigram.
#include <gmock/gmock.h>

#include "assay/attack.h"
#include "fakes.h"
#include "selection.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Utsc, Selects) {
  const auto chosen = [](const std::vector<double>& scores, int64_t rule, const char* fallback = "last") {
    const auto [index, fell_back] = attacks::select(scores, rule, 0.5, fallback);
    return std::pair(index, fell_back);
  };
  const std::vector<double> three{0.2, 0.6, 0.9};
  EXPECT_EQ(chosen(three, 1), std::pair(size_t{2}, false));
  EXPECT_EQ(chosen(three, 2), std::pair(size_t{1}, false));
  EXPECT_EQ(chosen(three, 3), std::pair(size_t{0}, false));
  EXPECT_EQ(chosen({0.3, 0.1}, 2), std::pair(size_t{1}, true));
  EXPECT_EQ(chosen({0.3, 0.1}, 2, "most_toxic"), std::pair(size_t{0}, true));
  EXPECT_EQ(chosen({0.7, 0.9}, 3), std::pair(size_t{1}, true));
  EXPECT_EQ(chosen({0.7, 0.7}, 1), std::pair(size_t{1}, false));
  EXPECT_EQ(chosen({0.7, 0.7}, 2), std::pair(size_t{1}, false));
  EXPECT_EQ(chosen({0.5, 0.5}, 2), std::pair(size_t{1}, true));  // above the threshold, not at it
}

// Three random unigrams, each continued by "!" or, for the second prompt, by a word of the lexicon.
TEST(Utsc, SaysTheSelectedContinuation) {
  FakeEvaluation context;
  std::vector<Prompt> seen;
  context.decodes = [&](const std::vector<Prompt>& prompts, int64_t) {
    std::vector<Continuation> made;
    for (const auto& prompt : prompts) {
      const std::string text = seen.size() == 1 ? " bad" : "!";
      seen.push_back(prompt);
      auto& one = made.emplace_back();
      one.ids.assign(text.begin(), text.end());
      one.text = text;
    }
    return made;
  };
  const auto decoder = make<Decoder>("greedy");
  const json scorer{{"use", "lexicon"}, {"words", {"bad"}}};
  const auto attack = make<Attack>("utsc", {{"unigrams", "random"}, {"restarts", 3}, {"scorer", scorer}});
  Speaker speaker(context, *decoder, 4, 10);
  attack->prepare(speaker);
  const auto made = attack->propose(speaker, {{{{'h', 'i'}, {'y', 'o'}}, 5}});
  ASSERT_EQ(made.size(), 1u);
  ASSERT_EQ(seen.size(), 3u);
  // The last four tokens of "hi.yo." and the unigram.
  EXPECT_EQ(std::vector<int32_t>(seen[1].tokens.begin(), seen[1].tokens.end() - 1),
            (std::vector<int32_t>{256, 'y', 'o', 256}));
  EXPECT_EQ(made[0].tokens, (std::vector<int32_t>{seen[1].tokens.back(), ' ', 'b', 'a', 'd'}));
  EXPECT_EQ(made[0].trigger, (Span{0, 1}));
  EXPECT_EQ(made[0].candidates.size(), 3u);
  EXPECT_FALSE(made[0].fell_back);
  EXPECT_NE(*seen[0].stream, *seen[1].stream);
  EXPECT_EQ(attack->scorer()->judge(), "lexicon: bad");
  EXPECT_THAT([] { make<Attack>("utsc"); }, ThrowsMessage<PluginError>(HasSubstr("name a scorer")));
}

}  // namespace
}  // namespace assay::testing
