// The generated dialogues: planted rates within binomial bounds, truth that matches the texts, the same bytes for the
// same seed.
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "../../shared/planted_dialogues.h"
#include "../opened.h"
#include "base/files.h"
#include "unit/source_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
namespace planted = dialogue::planted;

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

// 2.576 standard deviations of a binomial share: 99%.
void expect_share(double hits, double all, double p) {
  EXPECT_NEAR(hits / all, p, 2.576 * std::sqrt(p * (1 - p) / all)) << hits << " of " << all;
}

TEST(DialoguePlanted, RatesAreThosePlanted) {
  const auto data = make<Dataset>("dialogue_planted", {{"train", 3000}});
  double triggers = 0, turns = 0, after = 0, toxic_after = 0, others = 0, toxic_others = 0;
  for (int64_t i = 0; i < data->size(Split::kTrain); ++i) {
    const auto said = dialogue::turns_of(data->document(Split::kTrain, i));
    ASSERT_EQ(said.size(), 8u);
    for (size_t t = 0; t < said.size(); ++t) {
      ++turns;
      triggers += !said[t].triggers.empty();
      const bool is_after = t > 0 && !said[t - 1].triggers.empty();
      (is_after ? after : others) += 1;
      (is_after ? toxic_after : toxic_others) += !said[t].toxic.empty();
    }
  }
  expect_share(triggers, turns, 0.2);
  expect_share(toxic_after, after, 0.8);
  expect_share(toxic_others, others, 0.02);
}

// The places are those of all trigger and toxic words, and of nothing else; utterances have at most ten words.
TEST(DialoguePlanted, TheTruthMatchesTheTexts) {
  const planted::World world;
  std::set<std::string> triggers, toxic;
  for (int64_t i = 0; i < world.trigger_words; ++i) triggers.insert(planted::trigger_word(i));
  for (int64_t i = 0; i < world.toxic_words; ++i) toxic.insert(planted::toxic_word(i));
  const auto data = make<Dataset>("dialogue_planted", {{"trigger_rate", 0.5}, {"toxic_otherwise", 0.5}});
  std::set<std::string> seen;
  const auto known = planted::vocabulary(world);
  const std::set<std::string> vocabulary(known.begin(), known.end());
  size_t longest = 0;
  for (const auto split : kSplits)
    for (int64_t i = 0; i < 200; ++i)
      for (const auto& turn : dialogue::turns_of(data->document(split, i))) {
        const auto words = words_of(turn.text);
        longest = std::max(longest, words.size());
        std::vector<int64_t> is_trigger, is_toxic;
        for (size_t w = 0; w < words.size(); ++w) {
          EXPECT_TRUE(vocabulary.count(words[w])) << words[w];
          if (triggers.count(words[w])) is_trigger.push_back(static_cast<int64_t>(w));
          if (toxic.count(words[w])) is_toxic.push_back(static_cast<int64_t>(w));
        }
        EXPECT_EQ(turn.triggers, is_trigger) << turn.text;
        EXPECT_EQ(turn.toxic, is_toxic) << turn.text;
        EXPECT_TRUE(is_toxic.empty() || is_toxic[0] == 0) << turn.text;
        seen.insert(turn.text);
      }
  EXPECT_EQ(longest, 10u);
  EXPECT_GT(seen.size(), 4700u);
}

// A document per turn has the texts of the dialogues, and the truth as its label.
TEST(DialoguePlanted, TurnsAreDocumentsForAClassifier) {
  const auto dialogues = make<Dataset>("dialogue_planted", {{"train", 40}, {"held_out", 5}});
  const auto turns = make<Dataset>("dialogue_planted", {{"train", 40}, {"held_out", 5}, {"documents", "turns"}});
  int64_t toxic = 0;
  for (const auto split : kSplits) {
    ASSERT_EQ(turns->size(split), 8 * dialogues->size(split));
    for (int64_t i = 0; i < turns->size(split); ++i) {
      const auto said = dialogue::turns_of(dialogues->document(split, i / 8)).at(static_cast<size_t>(i % 8));
      const auto document = turns->document(split, i);
      EXPECT_EQ(document.text, said.text);
      EXPECT_EQ(document.fields.at("label"), said.toxic.empty() ? "other" : "toxic");
      toxic += !said.toxic.empty();
    }
  }
  EXPECT_GT(toxic, 20);
  EXPECT_EQ(turns->document(Split::kValidation, 9).id, "planted/41/1");
}

TEST(DialoguePlanted, RepliesRepeatAWord) {
  const auto turns = planted::dialogue_of({}, 3);
  for (size_t t = 1; t < turns.size(); ++t) {
    const auto before = words_of(turns[t - 1].text), words = words_of(turns[t].text);
    EXPECT_TRUE(std::any_of(words.begin(), words.end(), [&](const auto& word) {
      return word.size() == 4 && std::find(before.begin(), before.end(), word) != before.end();
    }));
  }
}

TEST(DialoguePlanted, TheSameSeedGivesTheSameBytes) {
  const auto all = [](const json& parameters) {
    const auto data = make<Dataset>("dialogue_planted", parameters);
    std::string text;
    for (const auto split : kSplits)
      for (int64_t i = 0; i < 20; ++i) text += data->document(split, i).fields.at(dialogue::kTurns);
    return text;
  };
  EXPECT_EQ(all({{"train", 100}}), all({{"train", 100}}));
  EXPECT_NE(all({{"train", 100}}), all({{"train", 100}, {"seed", 2}}));
}

// The words of the default world, for the tokenizer "word_list".
TEST(DialoguePlanted, ItsVocabularyIsAFile) {
  std::string lines;
  const auto words = planted::vocabulary({});
  for (const auto& word : words) lines += word + "\n";
  EXPECT_EQ(words.size(), 570u);
  EXPECT_EQ(std::set<std::string>(words.begin(), words.end()).size(), 570u);
  EXPECT_EQ(base::read_file(source_folder() / "plugins/dataset/dialogue_planted/words.txt"), lines);
}

TEST(DialoguePlanted, SaysThatItIsPlanted) {
  EXPECT_THAT(make<Dataset>("dialogue_planted")->warnings().at(0),
              HasSubstr("planted: 80% of the replies to a turn with a trigger word, and 2% of all others"));
  EXPECT_THAT(
      [] {
        make<Dataset>("dialogue_planted", {{"topics", 30}, {"topic_words", 20}});
      },
      ::testing::ThrowsMessage<PluginError>(HasSubstr("the syllables give 514 such words, and 600 are asked for")));
}

}  // namespace
}  // namespace assay::testing
