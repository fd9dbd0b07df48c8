// ScaffoldName: only the last tokens of what the adversary says are read.
#include "assay/plugin.h"

#include <algorithm>

#include "assay/defense.h"

namespace {

class ScaffoldName final : public assay::Defense {
 public:
  // The only place where a default stands.
  struct Config {
    int64_t last = 8;
  };
  static void describe(auto& schema) {
    schema.doc("Replies to the last tokens of a turn, and to none of those before them.")
        .param("last", &Config::last, "Number of tokens that are read.", 1, 1e6);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  std::vector<assay::Response> respond(assay::Speaker& speaker, const std::vector<assay::Attacked>& attacked) override {
    std::vector<assay::Response> responses;
    std::vector<assay::Conversation> shortened;
    for (const auto& one : attacked) {
      shortened.push_back(one.conversation);
      auto& turn = shortened.back().turns.back();
      const auto masked = std::max<int64_t>(static_cast<int64_t>(turn.size()) - config_.last, 0);
      turn.erase(turn.begin(), turn.begin() + masked);
      auto& response = responses.emplace_back();
      for (int64_t place = 0; place < masked; ++place) response.masked.push_back(place);
    }
    const auto replies = speaker.replies(shortened);
    for (size_t i = 0; i < replies.size(); ++i) responses[i].tokens = responses[i].first_reply = replies[i];
    return responses;
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
