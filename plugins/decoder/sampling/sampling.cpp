// Sampling with temperature, top-k, top-p and typicality; draw_token.h has the papers.
#include "../draw_token.h"
#include "assay/decoder.h"
#include "assay/plugin.h"

namespace {

class Sampling final : public assay::Decoder {
 public:
  using Config = assay::decoding::Filters;
  static void describe(auto& schema) {
    schema
        .doc(
            "Draws the next token: logits over the temperature, then the top_k most likely, of these the fewest whose "
            "share reaches top_p, of these the fewest most typical ones whose share reaches typical. Among equals the "
            "lower id counts as the more likely.")
        .paper("arXiv:1904.09751")
        .param("temperature", &Config::temperature,
               "What logits are divided by; for 0, which has no draws, use greedy.", 0.01, 100)
        .param("top_k", &Config::top_k, "How many tokens stay; 0: all.", 0)
        .param("top_p", &Config::top_p, "Share of the probability that stays; 1: all.", 0, 1)
        .param("typical", &Config::typical,
               "Share of the probability that stays of tokens whose information is nearest to the entropy "
               "(arXiv:2202.00666); 1: all.",
               0, 1);
  }
  explicit Sampling(const Config& config) : config_(config) {}

  assay::Choice next(assay::DecodeContext& context) override {
    return {assay::decoding::draw_tokens(context, config_), {}};
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("sampling", "1.1.0", assay::component<Sampling>("sampling"))
