// Sampling with temperature, top-k, top-p and typicality; draw_token.h has the papers.
#include "../banned.h"
#include "../draw_token.h"
#include "assay/decoder.h"
#include "assay/plugin.h"

namespace {

class Sampling final : public assay::Decoder {
 public:
  struct Config : assay::decoding::Filters {
    int64_t no_repeat_ngram = 0, min_tokens = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Samples the next token: divides logits by the temperature, keeps the top_k most likely tokens, "
            "of these the fewest whose share reaches top_p, and of these the fewest most typical ones whose "
            "share reaches typical. Of equal logits the lower id counts as the more likely.")
        .paper("arXiv:1904.09751")
        .param("temperature", &Config::temperature, "Logits are divided by it; instead of 0, use greedy.", 0.01, 100)
        .param("top_k", &Config::top_k, "Number of tokens that are kept; 0: all.", 0)
        .param("top_p", &Config::top_p, "Share of the probability that is kept; 1: all.", 0, 1)
        .param("typical", &Config::typical,
               "Share of the probability that is kept, of the tokens whose information is nearest to the entropy "
               "(arXiv:2202.00666); 1: all.",
               0, 1);
    assay::decoding::describe_bans<Config>(schema);
  }
  explicit Sampling(const Config& config) : config_(config) {}

  assay::Choice next(assay::DecodeContext& context) override {
    const auto logits_BV =
        assay::decoding::allowed(context, context.logits(), config_.no_repeat_ngram, config_.min_tokens);
    return {assay::decoding::draw_tokens(context, logits_BV, config_), {}};
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("sampling", "1.2.0", assay::component<Sampling>("sampling"))
