// Self-similarity and isotropy of the hidden states of a text's tokens, per layer. Ethayarajh 2019, arXiv:1909.00512,
// as measured by Su and Collier 2022, arXiv:2210.14140, sec. 3: the mean cosine of all ordered pairs of different
// tokens of a text, over texts.
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <numeric>

#include "../blocks.h"
#include "assay/plugin.h"

namespace {

using assay::Direction;
using assay::Tensor;

class Similarity final : public assay::Evaluator {
 public:
  struct Config {
    int64_t texts = 200, length = 256;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Mean cosine between the hidden states of different tokens of a text (self_similarity) and 1 "
            "minus that (isotropy), after the final norm, and as layer_.. after every layer (layer=0: the "
            "embedding).")
        .paper("arXiv:2210.14140")
        .param("texts", &Config::texts, "Number of pieces of the split, evenly spaced.", 1)
        .param("length", &Config::length, "Tokens per piece.", 2);
  }
  explicit Similarity(const Config& config) : config_(config) {}

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    return assay::evaluation::findings_of_blocks(check, config_.length);
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly& assembly) const override {
    std::vector<assay::Metric> metrics{{.name = "self_similarity"}, {.name = "isotropy"}};
    for (int64_t layer = 0; layer <= assembly.model->layers(); ++layer)
      for (const auto* name : {"layer_self_similarity", "layer_isotropy"})
        metrics.push_back({.name = name, .coordinates = {{"layer", static_cast<double>(layer)}}});
    return metrics;
  }

  void evaluate(assay::EvaluationContext& context) override {
    const auto layers = context.model().layers();
    const auto length = config_.length;
    if (const auto limit = context.model().limit(); limit && *limit < length) {
      Sums none(static_cast<size_t>(layers) + 2);
      return report(context, none, 0);
    }
    const auto blocks = assay::evaluation::even_blocks(context, length, config_.texts);
    std::vector<int64_t> wanted(static_cast<size_t>(layers) + 1);
    std::iota(wanted.begin(), wanted.end(), int64_t{0});
    const auto count = static_cast<int64_t>(blocks.size()), pairs = length * (length - 1);
    const auto at_once = std::max<int64_t>(context.tokens_per_forward() / length, 1);
    Sums sums(wanted.size() + 1);
    for (int64_t begin = 0; begin < count; begin += at_once) {
      assay::Batch batch;
      batch.tokens = at::empty({std::min(at_once, count - begin), length}, at::kLong);
      for (int64_t row = 0; row < batch.rows(); ++row)
        std::copy_n(blocks[static_cast<size_t>(begin + row)].ids.begin(), length,
                    batch.tokens.data_ptr<int64_t>() + row * length);
      auto& forward = context.forward(batch, wanted);
      for (size_t layer = 0; layer < wanted.size(); ++layer)
        for (const double sum : cosine_sums(forward.hidden(wanted[layer]))) sums[layer] += sum;
      const auto final_sums = cosine_sums(forward.hidden());
      for (int64_t row = 0; row < batch.rows(); ++row) {
        const double sum = final_sums[static_cast<size_t>(row)];
        sums.back() += sum;
        context.example({blocks[static_cast<size_t>(begin + row)].id,
                         {{"self_similarity", sum}, {"pairs", static_cast<double>(pairs)}},
                         {}});
      }
      context.progress(static_cast<double>(begin + batch.rows()) / static_cast<double>(count));
    }
    report(context, sums, static_cast<double>(count * pairs));
  }

 private:
  using Sums = std::vector<double>;  // of cosines, by layer; last: after the final norm

  // pairs: 0 where the model's limit is exceeded, and metrics are n/a.
  static void report(assay::EvaluationContext& context, const Sums& sums, double pairs) {
    const auto add = [&](const std::string& prefix, double sum, const std::map<std::string, double>& at) {
      const double weight = std::max(pairs, 1.0);
      context.metric({prefix + "self_similarity", sum, weight, "cosine", Direction::kNone, at, pairs > 0});
      context.metric({prefix + "isotropy", weight - sum, weight, "1 - cosine", Direction::kNone, at, pairs > 0});
    };
    add("", sums.back(), {});
    for (size_t layer = 0; layer + 1 < sums.size(); ++layer)
      add("layer_", sums[layer], {{"layer", static_cast<double>(layer)}});
  }

  // Per row, the sum of cosines of all ordered pairs of different tokens. A state of norm 0 has cosine 0 with all.
  static std::vector<double> cosine_sums(const Tensor& states_BTD) {
    const auto states = states_BTD.to(at::kCPU, at::kDouble);
    const auto unit = states / states.norm(2, -1, true).clamp_min(1e-300);
    const auto cosines_BTT = at::matmul(unit, unit.transpose(1, 2));
    const auto sums = (cosines_BTT.sum({1, 2}) - cosines_BTT.diagonal(0, 1, 2).sum(-1)).contiguous();
    return {sums.const_data_ptr<double>(), sums.const_data_ptr<double>() + sums.numel()};
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("similarity", "1.0.0", assay::component<Similarity>("similarity"))
