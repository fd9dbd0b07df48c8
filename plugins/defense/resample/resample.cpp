// The control that only draws again: a reply that the scorer finds toxic is drawn anew, with nothing masked.
#include "../replies.h"
#include "assay/plugin.h"

namespace {

class Resample final : public assay::Defense {
 public:
  using Config = assay::defenses::Passes;
  static void describe(auto& schema) {
    schema.doc("Draws a toxic reply again, until the scorer passes it: what a defense gains by regenerating alone.");
    assay::defenses::describe_passes<Config>(schema);
  }
  explicit Resample(const Config& config) : config_(config) { assay::defenses::require(config_.scorer); }
  assay::Scorer* scorer() const override { return config_.scorer.get(); }
  std::vector<assay::Response> respond(assay::Speaker& speaker, const std::vector<assay::Attacked>& attacked) override {
    auto drafts = assay::defenses::first_replies(speaker, scorer(), attacked);
    assay::defenses::regenerate(speaker, scorer(), drafts, config_.max_passes, false, [](assay::defenses::Draft&) {});
    return assay::defenses::responses_of(drafts);
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("resample", "1.0.0", assay::component<Resample>("resample"))
