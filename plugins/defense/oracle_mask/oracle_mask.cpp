// The upper bound: the true trigger, all of it, is masked and the reply drawn again, whatever the first reply was.
#include "../replies.h"
#include "assay/plugin.h"

namespace {

class OracleMask final : public assay::Defense {
 public:
  struct Config {
    std::string mask_mode = "delete";
  };
  static void describe(auto& schema) {
    schema.doc("Masks the true trigger, which only this defense is told, and always draws the reply again.");
    assay::defenses::describe_mask<Config>(schema);
  }
  explicit OracleMask(const Config& config) : config_(config) {}
  bool needs_oracle() const override { return true; }
  std::vector<assay::Response> respond(assay::Speaker& speaker, const std::vector<assay::Attacked>& attacked) override {
    auto drafts = assay::defenses::first_replies(speaker, nullptr, attacked);
    std::vector<assay::defenses::Draft*> triggered;
    for (auto& draft : drafts) {
      if (!draft.attacked->trigger) continue;
      for (auto place = draft.attacked->trigger->begin; place < draft.attacked->trigger->end; ++place)
        draft.masked.insert(place);
      if (draft.attacked->trigger->begin < draft.cut) draft.response.reason = "the trigger was cut";
      ++draft.response.regenerations;
      triggered.push_back(&draft);
    }
    assay::defenses::reply(speaker, nullptr, triggered, config_.mask_mode == "gap");
    return assay::defenses::responses_of(drafts);
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("oracle_mask", "1.0.0", assay::component<OracleMask>("oracle_mask"))
