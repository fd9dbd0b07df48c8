// No defense: the model's reply as it is.
#include "../replies.h"
#include "assay/plugin.h"

namespace {

class NoDefense final : public assay::Defense {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("The model's reply as it is."); }
  explicit NoDefense(const Config&) {}
  std::vector<assay::Response> respond(assay::Speaker& speaker, const std::vector<assay::Attacked>& attacked) override {
    auto drafts = assay::defenses::first_replies(speaker, nullptr, attacked);
    return assay::defenses::responses_of(drafts);
  }
};

}  // namespace

ASSAY_PLUGIN("no_defense", "1.0.0", assay::component<NoDefense>("none"))
