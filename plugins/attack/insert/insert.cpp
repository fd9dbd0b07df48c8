// A known cause: the adversary says what the model says, with a word of a list put in somewhere. For worlds whose
// triggers are known, and with other words as the control.
#include "assay/attack.h"
#include "assay/plugin.h"
#include "assay/tokenizer.h"

namespace {

class Insert final : public assay::Attack {
 public:
  struct Config {
    std::vector<std::string> words;
  };
  static void describe(auto& schema) {
    schema.doc("Says what the model says, with a word of a list at a random place.")
        .required("words", &Config::words, "The words, of which one is drawn.");
  }
  explicit Insert(const Config& config) : config_(config) {
    if (config_.words.empty()) throw assay::UserError("words: name a word to insert");
  }

  std::vector<assay::Proposal> propose(assay::Speaker& speaker,
                                       const std::vector<assay::Conversation>& conversations) override {
    std::vector<assay::Proposal> proposals;
    const auto said = speaker.replies(conversations);
    for (size_t i = 0; i < said.size(); ++i) {
      const assay::Draws draws(conversations[i].stream, "insert");
      const auto word =
          speaker.evaluation().vocabulary().tokenizer().encode(config_.words[draws.below(config_.words.size(), 0)]);
      const auto at = static_cast<std::ptrdiff_t>(draws.below(said[i].size() + 1, 1));
      auto& proposal = proposals.emplace_back();
      proposal.tokens = said[i];
      proposal.tokens.insert(proposal.tokens.begin() + at, word.begin(), word.end());
      proposal.trigger = {at, at + static_cast<std::ptrdiff_t>(word.size())};
    }
    return proposals;
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("insert", "1.0.0", assay::component<Insert>("insert"))
