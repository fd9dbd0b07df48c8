// Greedy decoding: the most likely next token, always.
#include <ATen/ops/argmax.h>

#include "assay/decoder.h"
#include "assay/plugin.h"

namespace {

class Greedy final : public assay::Decoder {
 public:
  struct Config {};
  static void describe(auto& schema) {
    schema.doc("The most likely next token; among equals the one of the lowest id.");
  }
  explicit Greedy(const Config&) {}

  // argmax gives the first of equal values.
  assay::Choice next(assay::DecodeContext& context) override { return {at::argmax(context.logits(), -1), {}}; }
};

}  // namespace

ASSAY_PLUGIN("greedy", "1.0.0", assay::component<Greedy>("greedy"))
