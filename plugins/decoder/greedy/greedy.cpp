// Greedy decoding: always the most likely next token.
#include <ATen/ops/argmax.h>

#include "../banned.h"
#include "assay/decoder.h"
#include "assay/plugin.h"

namespace {

class Greedy final : public assay::Decoder {
 public:
  struct Config {
    int64_t no_repeat_ngram = 0, min_tokens = 0;
  };
  static void describe(auto& schema) {
    schema.doc("Takes the most likely next token; of equally likely ones, that with the lowest id.");
    assay::decoding::describe_bans<Config>(schema);
  }
  explicit Greedy(const Config& config) : config_(config) {}

  // argmax returns the first of equal values.
  assay::Choice next(assay::DecodeContext& context) override {
    return {at::argmax(assay::decoding::allowed(context, context.logits(), config_.no_repeat_ngram, config_.min_tokens),
                       -1),
            {}};
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("greedy", "1.1.0", assay::component<Greedy>("greedy"))
