// ScaffoldName: the adversary repeats what was said first, some times over.
#include "assay/plugin.h"

#include "assay/attack.h"

namespace {

class ScaffoldName final : public assay::Attack {
 public:
  // The only place where a default stands.
  struct Config {
    int64_t times = 2;
  };
  static void describe(auto& schema) {
    schema.doc("Says the first turn again, some times over.")
        .param("times", &Config::times, "How often it is said.", 1, 100);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  std::vector<assay::Proposal> propose(assay::Speaker&,
                                       const std::vector<assay::Conversation>& conversations) override {
    std::vector<assay::Proposal> proposals;
    for (const auto& conversation : conversations) {
      const auto& first = conversation.turns.front();
      assay::Proposal proposal;
      for (int64_t i = 0; i < config_.times; ++i)
        proposal.tokens.insert(proposal.tokens.end(), first.begin(), first.end());
      proposal.trigger = {0, static_cast<int64_t>(proposal.tokens.size())};
      proposals.push_back(proposal);
    }
    return proposals;
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
