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
  struct Config : dialogue::planted::World {
    std::string documents = "dialogues";
  };
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
        .param("documents", &Config::documents,
               "dialogues: a document is a dialogue; turns: it is one turn, whose field 'label' is \"toxic\" or "
               "\"other\", for a classifier.",
               {"dialogues", "turns"})
        .param("seed", &Config::seed, "Seed of the world.", 0);
  }
  explicit DialoguePlanted(const Config& config)
      : config_(config), per_dialogue_(config.documents == "turns" ? config.turns : 1) {
    dialogue::planted::check(config_);
  }

  int64_t size(Split split) const override {
    return per_dialogue_ * (split == Split::kTrain ? config_.train : config_.held_out);
  }

  assay::Document document(Split split, int64_t index) const override {
    assay::dataset::check_index("dialogue_planted", split, index, size(split));
    const auto first = split == Split::kTrain ? 0 : config_.train + (split == Split::kTest ? config_.held_out : 0);
    const auto number = first + index / per_dialogue_;
    const auto turns = dialogue::planted::dialogue_of(config_, number);
    assay::Document document;
    document.id = "planted/" + std::to_string(number);
    if (per_dialogue_ > 1) {
      const auto place = index % per_dialogue_;
      const auto& turn = turns[static_cast<size_t>(place)];
      document.id += "/" + std::to_string(place);
      document.text = turn.text;
      document.fields["label"] = turn.toxic.empty() ? "other" : "toxic";
      return document;
    }
    for (const auto& turn : turns) document.text += turn.text + "\n";
    document.fields[dialogue::kTurns] = dialogue::written(turns);
    return document;
  }

  std::vector<assay::Source> sources() const override { return {{"dialogue_planted", "", "made by assay"}}; }
  // Every table of such runs says so.
  std::vector<std::string> warnings() const override {
    return {"the words are made up, and toxic replies are planted: " + percent(config_.toxic_after_trigger) +
            " of the replies to a turn with a trigger word, and " + percent(config_.toxic_otherwise) +
            " of all others"};
  }

 private:
  static std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g%%", 100 * share);
    return text;
  }

  Config config_;
  int64_t per_dialogue_;  // documents
};

}  // namespace

ASSAY_PLUGIN("dialogue_planted", "1.1.0", assay::component<DialoguePlanted>("dialogue_planted"))
