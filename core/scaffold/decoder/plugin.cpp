// ScaffoldName: the likeliest token, but none of the last few.
#include "assay/plugin.h"

#include <algorithm>
#include <limits>

#include "assay/decoder.h"

namespace {

class ScaffoldName final : public assay::Decoder {
 public:
  // The only place where a default stands.
  struct Config {
    int64_t last = 3;
  };
  static void describe(auto& schema) {
    schema.doc("Takes the likeliest token that is none of the last few.")
        .param("last", &Config::last, "How many tokens back may not be repeated.", 0, 200);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  assay::Choice next(assay::DecodeContext& context) override {
    const auto tokens_BS = context.tokens();
    const auto back = std::min(config_.last, tokens_BS.size(1));
    const auto logits_BV = context.logits().scatter(1, tokens_BS.narrow(1, tokens_BS.size(1) - back, back),
                                                    -std::numeric_limits<double>::infinity());
    return {logits_BV.argmax(-1), {}};
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
