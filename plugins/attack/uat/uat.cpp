// Universal adversarial trigger: one utterance for all conversations, after which the model says toxic targets (Wallace
// et al. 2019, arXiv:1908.07125, as adapted to dialogue by Mehrabi et al. 2022, NAACL); with language_weight the
// trigger itself shall be likely (UAT-LM). The released code ranks UAT-LM's candidates by the sum and, after the first
// change, follows the gradient of the first term alone; legacy_gradient does so, too.
#include "../targets.h"
#include "../trigger_search.h"
#include "assay/attack.h"
#include "assay/plugin.h"

namespace {

class Uat final : public assay::Attack {
 public:
  struct Config : assay::attacks::SearchOptions {
    assay::Path targets;
    int64_t target_count = 8;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "One trigger for all conversations, after which the model says the target texts; found by gradients and "
            "forward passes, one token after another.")
        .paper("arXiv:1908.07125")
        .param("targets", &Config::targets,
               "A file with one target text per line; none: toxic turns of training, where the dataset marks them.")
        .param("target_count", &Config::target_count, "Number of such turns.", 1, 1024)
        .param("length", &Config::length, "Tokens of the trigger.", 1, 64)
        .param("candidates", &Config::candidates, "Tokens that are scored for each place.", 1, 1 << 16)
        .param("sweeps", &Config::sweeps, "Most passes over the places.", 1, 10000)
        .param("language_weight", &Config::language_weight,
               "Weight of -ln p of the trigger's own tokens, per token: 1 is UAT-LM.", 0, 1e6)
        .param("legacy_gradient", &Config::legacy_gradient,
               "Whether the gradient leaves that term out after the first change, as in the released code.");
  }
  explicit Uat(const Config& config) : config_(config) {}

  void prepare(assay::Speaker& speaker) override {
    auto& context = speaker.evaluation();
    const assay::attacks::TriggerLoss loss(
        context, assay::attacks::targets(context, config_.targets, config_.target_count), config_);
    const auto first =
        assay::attacks::drawn_tokens(context.vocabulary(), config_.length, context.common_draws().substream(0));
    found_ = assay::attacks::search(context, loss, config_, first);
  }

  std::vector<assay::Proposal> propose(assay::Speaker&,
                                       const std::vector<assay::Conversation>& conversations) override {
    return std::vector<assay::Proposal>(conversations.size(), {found_.trigger, {0, config_.length}});
  }

 private:
  Config config_;
  assay::attacks::Found found_;
};

}  // namespace

ASSAY_PLUGIN("uat", "1.0.0", assay::component<Uat>("uat"))
