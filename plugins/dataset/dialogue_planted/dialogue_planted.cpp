// A generated world of dialogues in which trigger words cause toxic replies, so that attacks, defenses and explanations
// can be checked against the truth. shared/planted_dialogues.h has its rules; words.txt its vocabulary at the defaults.
#include <cstdio>

#include "../../shared/planted_dialogues.h"
#include "../splits.h"
#include "assay/dataset.h"
#include "assay/plugin.h"

namespace {

namespace dialogue = assay::dialogue;
using assay::Split;

class DialoguePlanted final : public assay::Dataset {
 public:
  using Config = dialogue::planted::World;
  static void describe(auto& schema) {
    schema
        .doc(
            "A generated world of dialogues in made-up words: a reply to a turn with a trigger word has a toxic word "
            "with a known probability. Every turn has the places of its trigger and toxic words, and no word means "
            "anything.")
        .param("train", &Config::train, "Dialogues to train on.", 1, 1 << 24)
        .param("held_out", &Config::held_out, "Dialogues in validation, and as many in test.", 1, 1 << 24)
        .param("turns", &Config::turns, "Turns of each dialogue.", 2, 1024)
        .param("topics", &Config::topics, "Number of topics; a dialogue has one.", 1, 512)
        .param("topic_words", &Config::topic_words, "Words of each topic.", 1, 512)
        .param("common_words", &Config::common_words, "Words of all topics.", 1, 60)
        .param("trigger_words", &Config::trigger_words, "Number of trigger words.", 1, 225)
        .param("toxic_words", &Config::toxic_words, "Number of toxic words.", 1, 225)
        .param("trigger_rate", &Config::trigger_rate, "Share of turns with a trigger word.", 0, 1)
        .param("toxic_after_trigger", &Config::toxic_after_trigger, "Share of replies to them that have a toxic word.",
               0, 1)
        .param("toxic_otherwise", &Config::toxic_otherwise, "Share of all other turns that have one.", 0, 1)
        .param("seed", &Config::seed, "Seed of the world.", 0);
  }
  explicit DialoguePlanted(const Config& config) : world_(config) { dialogue::planted::check(world_); }

  int64_t size(Split split) const override { return split == Split::kTrain ? world_.train : world_.held_out; }

  assay::Document document(Split split, int64_t index) const override {
    assay::dataset::check_index("dialogue_planted", split, index, size(split));
    const auto first = split == Split::kTrain ? 0 : world_.train + (split == Split::kTest ? world_.held_out : 0);
    const auto turns = dialogue::planted::dialogue_of(world_, first + index);
    assay::Document document;
    document.id = "planted/" + std::to_string(first + index);
    for (const auto& turn : turns) document.text += turn.text + "\n";
    document.fields[dialogue::kTurns] = dialogue::written(turns);
    return document;
  }

  std::vector<assay::Source> sources() const override { return {{"dialogue_planted", "", "made by assay"}}; }
  // Every table of such runs says so.
  std::vector<std::string> warnings() const override {
    return {"the words are made up, and toxic replies are planted: " + percent(world_.toxic_after_trigger) +
            " of the replies to a turn with a trigger word, and " + percent(world_.toxic_otherwise) + " of all others"};
  }

 private:
  static std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g%%", 100 * share);
    return text;
  }

  dialogue::planted::World world_;
};

}  // namespace

ASSAY_PLUGIN("dialogue_planted", "1.0.0", assay::component<DialoguePlanted>("dialogue_planted"))
