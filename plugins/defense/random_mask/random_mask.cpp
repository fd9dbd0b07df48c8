// The control that masks at random: for every toxic reply one more token of the attack, whichever it is.
#include "../replies.h"
#include "assay/plugin.h"

namespace {

class RandomMask final : public assay::Defense {
 public:
  struct Config : assay::defenses::Passes {
    std::string mask_mode = "delete";
  };
  static void describe(auto& schema) {
    schema.doc(
        "Masks a random token of the attack for every toxic reply: what two_level's choice of tokens is compared "
        "with.");
    assay::defenses::describe_passes<Config>(schema);
    assay::defenses::describe_mask<Config>(schema);
  }
  explicit RandomMask(const Config& config) : config_(config) { assay::defenses::require(config_.scorer); }
  assay::Scorer* scorer() const override { return config_.scorer.get(); }
  std::vector<assay::Response> respond(assay::Speaker& speaker, const std::vector<assay::Attacked>& attacked) override {
    auto drafts = assay::defenses::first_replies(speaker, scorer(), attacked);
    assay::defenses::regenerate(speaker, scorer(), drafts, config_.max_passes, config_.mask_mode == "gap",
                                [](assay::defenses::Draft& draft) {
                                  std::vector<int64_t> left;
                                  for (auto place = draft.cut; place < draft.size(); ++place)
                                    if (!draft.masked.count(place)) left.push_back(place);
                                  if (left.empty()) return;
                                  const assay::Draws draws(draft.attacked->conversation.stream, "random_mask");
                                  draft.masked.insert(left[draws.below(left.size(), draft.masked.size())]);
                                });
    return assay::defenses::responses_of(drafts);
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("random_mask", "1.0.0", assay::component<RandomMask>("random_mask"))
