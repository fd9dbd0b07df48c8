// Two-stage Non Sequitur (Xu et al. 2020, arXiv:2010.07079): a toxic reply is replaced by a change of subject.
#include <fstream>

#include "../../shared/planted_dialogues.h"
#include "../replies.h"
#include "assay/plugin.h"
#include "assay/tokenizer.h"

namespace {

using assay::UserError;

class NonSequitur final : public assay::Defense {
 public:
  struct Config {
    assay::Child<assay::Scorer> scorer;
    assay::Path topics;
    std::string sentence = "hey, do you want to talk about something else? how about we talk about {}?";
  };
  static void describe(auto& schema) {
    schema.doc("Answers a toxic reply's place with a change of subject to a topic that is drawn.")
        .paper("arXiv:2010.07079")
        .param("scorer", &Config::scorer, "Who decides whether a reply is toxic.")
        .param("topics", &Config::topics, "A file with one topic per line; none: words of the generated world.")
        .param("sentence", &Config::sentence, "What is said; {} is the topic.");
  }
  explicit NonSequitur(const Config& config) : config_(config) {
    assay::defenses::require(config_.scorer);
    if (config_.sentence.find("{}") == std::string::npos)
      throw UserError("sentence: it needs {}, the place of the topic");
    if (config_.topics.file.empty()) {
      const assay::dialogue::planted::World world;
      for (int64_t topic = 0; topic < world.topics; ++topic)
        topics_.push_back(assay::dialogue::planted::topic_word(world, topic, 0));
      return;
    }
    std::ifstream file(config_.topics.file);
    for (std::string line; std::getline(file, line);)
      if (!line.empty()) topics_.push_back(line);
    if (topics_.empty()) throw UserError("topics: " + config_.topics.file + " has no topic; write one per line");
  }
  assay::Scorer* scorer() const override { return config_.scorer.get(); }
  std::vector<assay::Response> respond(assay::Speaker& speaker, const std::vector<assay::Attacked>& attacked) override {
    auto drafts = assay::defenses::first_replies(speaker, scorer(), attacked);
    for (auto* draft : assay::defenses::toxic_of(drafts)) {
      const assay::Draws draws(draft->attacked->conversation.stream, "non_sequitur");
      auto text = config_.sentence;
      text.replace(text.find("{}"), 2, topics_[draws.below(topics_.size(), 0)]);
      draft->response.tokens = speaker.evaluation().vocabulary().tokenizer().encode(text);
      draft->response.reason = "change of subject";
    }
    return assay::defenses::responses_of(drafts);
  }

 private:
  Config config_;
  std::vector<std::string> topics_;
};

}  // namespace

ASSAY_PLUGIN("non_sequitur", "1.0.0", assay::component<NonSequitur>("non_sequitur"))
