// The control that only draws again: a reply that the scorer finds toxic is drawn anew, with nothing masked.
#include "../replies.h"
#include "assay/plugin.h"

namespace {

class Resample final : public assay::Defense {
 public:
  struct Config {
    assay::Child<assay::Scorer> scorer;
    int64_t max_passes = 10;
  };
  static void describe(auto& schema) {
    schema.doc("Draws a toxic reply again, until the scorer passes it: what a defense gains by regenerating alone.")
        .param("scorer", &Config::scorer, "Who decides whether a reply is toxic.")
        .param("max_passes", &Config::max_passes, "Most replies after the first one.", 1, 100000);
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
