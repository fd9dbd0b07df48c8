// Greedy decoding: always the most likely next token.
#include <ATen/ops/argmax.h>

#include "assay/decoder.h"
#include "assay/plugin.h"

namespace {

class Greedy final : public assay::Decoder {
 public:
  struct Config {};
  static void describe(auto& schema) {
    schema.doc("Takes the most likely next token; of equally likely ones, that with the lowest id.");
  }
  explicit Greedy(const Config&) {}

  // argmax returns the first of equal values.
  assay::Choice next(assay::DecodeContext& context) override { return {at::argmax(context.logits(), -1), {}}; }
};

}  // namespace

ASSAY_PLUGIN("greedy", "1.0.0", assay::component<Greedy>("greedy"))
