// Pseudo-log-likelihood: the sum over a text's tokens of ln p(token | all others), each with that token alone masked.
// Salazar et al. 2020, "Masked Language Model Scoring", arXiv:1910.14659, sec. 2.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "../../shared/encoder_tokens.h"
#include "../blocks.h"
#include "../sequences.h"
#include "assay/plugin.h"

namespace {

namespace encoder = assay::encoder;
using assay::Direction;
using assay::evaluation::Sequence;

class PseudoLogLikelihood final : public assay::Evaluator {
 public:
  struct Config {
    int64_t texts = 32, length = 64;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Pseudo-log-likelihood: how well a bidirectional model predicts each token of a text from all "
            "others, in nats per token (nll) and bits per byte (pseudo_bits_per_byte, which is not a code "
            "length, for every prediction sees the other tokens). It says little about a model that never "
            "reads [MASK] in training, as with cocolm's rtd and clm.")
        .paper("arXiv:1910.14659")
        .param("texts", &Config::texts, "Number of pieces of the split, evenly spaced.", 1)
        .param("length", &Config::length, "Tokens per piece, without [CLS]; a piece takes as many forwards.", 1);
  }
  explicit PseudoLogLikelihood(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    return assay::evaluation::findings_of_bidirectional(assembly);
  }
  void special_tokens(assay::SpecialTokens& tokens) const override {
    for (const auto* name : {encoder::kCls, encoder::kMask, encoder::kPad}) tokens.declare(name);
  }

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    return assay::evaluation::findings_of_blocks(check, config_.length);
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly&) const override {
    return {{.name = "nll"}, {.name = "pseudo_bits_per_byte"}};
  }

  void evaluate(assay::EvaluationContext& context) override {
    const int64_t length = config_.length;
    if (const auto limit = context.model().limit(); limit && *limit < length + 1)
      return report(context, 0, 1, 1, false);
    const auto blocks = assay::evaluation::even_blocks(context, length, config_.texts);
    const auto mask = context.vocabulary().special(encoder::kMask);
    const auto at_once = std::max<int64_t>(context.tokens_per_forward() / (length + 1), 1);
    double nats = 0, tokens = 0, bytes = 0;
    for (const auto& block : blocks) {
      double own = 0;
      for (int64_t first = 0; first < length; first += at_once) {
        const int64_t rows = std::min(at_once, length - first);
        auto batch = assay::evaluation::batch_of(std::vector<Sequence>(static_cast<size_t>(rows), block.ids),
                                                 context.vocabulary());
        batch.targets = batch.tokens.clone();
        for (int64_t row = 0; row < rows; ++row) batch.tokens[row][first + row + 1].fill_(mask);
        auto& forward = context.forward(batch);
        // The state at the masked position of every row: the diagonal that begins at [0, first + 1].
        const auto masked = [&](const assay::Tensor& x) { return x.diagonal(first + 1, 0, 1); };
        const auto nll = forward.token_nll(masked(forward.hidden()).transpose(0, 1).contiguous(),
                                           masked(batch.targets).contiguous());
        own += nll.to(at::kDouble).sum().item<double>();
      }
      const auto size = static_cast<double>(context.vocabulary().tokenizer().decode(block.ids).size());
      context.example({block.id, {{"nll", own}, {"tokens", static_cast<double>(length)}, {"bytes", size}}, {}});
      nats += own;
      tokens += static_cast<double>(length);
      bytes += size;
      context.progress(tokens / static_cast<double>(length * static_cast<int64_t>(blocks.size())));
    }
    report(context, nats, tokens, bytes, true);
  }

 private:
  static void report(assay::EvaluationContext& context, double nats, double tokens, double bytes, bool available) {
    context.metric({"nll", nats, tokens, "nats/token", Direction::kLower, {}, available});
    context.metric(
        {"pseudo_bits_per_byte", nats / std::log(2.0), bytes, "bits/byte", Direction::kLower, {}, available});
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("pll", "1.0.1", assay::component<PseudoLogLikelihood>("pll"))
