// No attack: the adversary says what the model says, for what a defense costs where there is nothing to defend against.
#include "assay/attack.h"
#include "assay/plugin.h"

namespace {

class NoAttack final : public assay::Attack {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("The adversary says what the model says."); }
  explicit NoAttack(const Config&) {}
  bool attacks() const override { return false; }
  std::vector<assay::Proposal> propose(assay::Speaker&, const std::vector<assay::Conversation>&) override { return {}; }
};

}  // namespace

ASSAY_PLUGIN("no_attack", "1.0.0", assay::component<NoAttack>("none"))
