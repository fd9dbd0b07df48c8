// A world of dialogues in which a cause is planted: a reply to a turn with a trigger word is toxic with a known
// probability. All words are made of syllables and mean nothing; the "toxic" ones are toxic by declaration. Every turn
// comes with the places of its trigger and toxic words, the truth for explanations (cf. Mehrabi et al. 2022, NAACL).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "assay/error.h"
#include "assay/random.h"
#include "dialogue.h"

namespace assay::dialogue::planted {

struct World {
  int64_t train = 2000, held_out = 200;  // dialogues to train on; in validation, and as many in test
  int64_t turns = 8;                     // of each dialogue
  int64_t topics = 20, topic_words = 25, common_words = 40;
  int64_t trigger_words = 10, toxic_words = 20;
  double trigger_rate = 0.2;         // share of turns with a trigger word
  double toxic_after_trigger = 0.8;  // share of toxic replies to them
  double toxic_otherwise = 0.02;     // share of toxic turns among all others
  int64_t seed = 1;
};

// ---- vocabulary: disjoint by their letters ----

inline std::string of_syllables(int64_t number, const char* consonants, int64_t count, int64_t syllables) {
  constexpr const char* kVowels = "aeiou";
  std::string word;
  for (int64_t i = 0; i < syllables; ++i) {
    word += consonants[number % count];
    number /= count;
    word += kVowels[number % 5];
    number /= 5;
  }
  return word;
}
inline std::string common_word(int64_t i) { return of_syllables(i, "bdfgklmnprst", 12, 1); }  // "ba"
inline std::string topic_word(const World& world, int64_t topic, int64_t i) {
  return of_syllables(7 * (topic * world.topic_words + i), "bdfgklmnprst", 12, 2);  // "bade"
}
inline std::string trigger_word(int64_t i) { return "q" + of_syllables(i, "lnr", 3, 2); }      // "qlala"
inline std::string toxic_word(int64_t i) { return "z" + of_syllables(i, "vwx", 3, 2) + "x"; }  // "zvavax"

// Every word, once: common, topic, trigger and toxic ones.
inline std::vector<std::string> vocabulary(const World& world) {
  std::vector<std::string> words;
  for (int64_t i = 0; i < world.common_words; ++i) words.push_back(common_word(i));
  for (int64_t topic = 0; topic < world.topics; ++topic)
    for (int64_t i = 0; i < world.topic_words; ++i) words.push_back(topic_word(world, topic, i));
  for (int64_t i = 0; i < world.trigger_words; ++i) words.push_back(trigger_word(i));
  for (int64_t i = 0; i < world.toxic_words; ++i) words.push_back(toxic_word(i));
  return words;
}

// ---- dialogues ----

// One turn: four to eight common words and words of the topic by turns, at most one trigger word, and before all of
// them at most one toxic word. `before`: the turn that it answers, of which it repeats a word; null: there is none.
inline Turn turn_of(const World& world, int64_t topic, const Turn* before, const Draws& draws) {
  uint64_t next = 0;
  const auto uniform = [&] { return draws.uniform(next++); };
  const auto below = [&](int64_t bound) {
    return static_cast<int64_t>(draws.below(static_cast<uint64_t>(bound), next++));
  };
  std::vector<std::string> words;
  const auto length = 4 + below(5);
  for (int64_t i = 0; i < length; ++i)
    words.push_back(i % 2 == 0 ? common_word(below(world.common_words))
                               : topic_word(world, topic, below(world.topic_words)));
  if (before) {
    // The second word repeats a topic word of the turn before.
    std::vector<std::string> said;
    size_t begin = 0;
    for (int64_t place = 0; begin <= before->text.size(); ++place) {
      const auto end = std::min(before->text.find(' ', begin), before->text.size());
      const auto is_planted = [&](const std::vector<int64_t>& places) {
        return std::find(places.begin(), places.end(), place) != places.end();
      };
      if (!is_planted(before->triggers) && !is_planted(before->toxic))
        said.push_back(before->text.substr(begin, end - begin));
      begin = end + 1;
    }
    words[1] = said[static_cast<size_t>(1 + 2 * below(static_cast<int64_t>(said.size()) / 2))];
  }
  Turn turn;
  const auto toxic = before && !before->triggers.empty() ? world.toxic_after_trigger : world.toxic_otherwise;
  if (uniform() < world.trigger_rate) {
    turn.triggers = {below(static_cast<int64_t>(words.size()) + 1)};
    words.insert(words.begin() + turn.triggers[0], trigger_word(below(world.trigger_words)));
  }
  // A toxic word comes first, so that a small model learns within minutes when to say one.
  if (uniform() < toxic) {
    for (auto& place : turn.triggers) ++place;
    turn.toxic = {0};
    words.insert(words.begin(), toxic_word(below(world.toxic_words)));
  }
  for (const auto& word : words) turn.text += (turn.text.empty() ? "" : " ") + word;
  return turn;
}

// Dialogue `number` of the world; two speakers take turns.
inline std::vector<Turn> dialogue_of(const World& world, int64_t number) {
  const auto draws = Draws(static_cast<uint64_t>(world.seed), "dialogues").substream(static_cast<uint64_t>(number));
  const auto topic = static_cast<int64_t>(draws.below(static_cast<uint64_t>(world.topics), 0));
  std::vector<Turn> turns;
  for (int64_t i = 0; i < world.turns; ++i) {
    auto turn =
        turn_of(world, topic, turns.empty() ? nullptr : &turns.back(), draws.substream(static_cast<uint64_t>(i)));
    turn.speaker = i % 2 == 0 ? "a" : "b";
    turns.push_back(std::move(turn));
  }
  return turns;
}

// UserError when the syllables do not give as many words.
inline void check(const World& world) {
  const auto refuse = [](const char* parameters, int64_t wanted, int64_t most) {
    if (wanted > most)
      throw UserError(std::string(parameters) + ": the syllables give " + std::to_string(most) + " such words, and " +
                      std::to_string(wanted) + " are asked for; use fewer");
  };
  refuse("common_words", world.common_words, 60);
  refuse("topics and topic_words", world.topics * world.topic_words, 3600 / 7);
  refuse("trigger_words", world.trigger_words, 225);
  refuse("toxic_words", world.toxic_words, 225);
}

}  // namespace assay::dialogue::planted
