// The run's own objectives on held-out text: their loss terms and the metrics that they log, without dropout and always
// with the same draws. So the training loss of any objective can be read on held-out text.
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <map>
#include <utility>

#include "../blocks.h"
#include "assay/plugin.h"

namespace {

using assay::Direction;

class HeldOut final : public assay::Evaluator {
 public:
  struct Config {
    int64_t texts = 256, length = 0, rows = 16;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Loss terms and logged metrics of the run's objectives on held-out text, named <objective>.<name> "
            "as in training; terms are not multiplied by their weights.")
        .param("texts", &Config::texts, "Number of pieces of the split, evenly spaced.", 1)
        .param("length", &Config::length, "Tokens per piece; 0: the context length of training.", 0)
        .param("rows", &Config::rows,
               "Rows per batch; losses that compare rows see only these, so give a multiple of cocolm's "
               "scl_group.",
               1);
  }
  explicit HeldOut(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    const auto limit = assembly.model->limit();
    if (!limit || config_.length <= *limit) return {};
    return {"length = " + std::to_string(config_.length) + " is more than the " + std::to_string(*limit) +
            " positions that the model takes"};
  }

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    const auto length = config_.length > 0 ? config_.length : check.training_context;
    return assay::evaluation::findings_of_blocks(check, length + 1);
  }

  void evaluate(assay::EvaluationContext& context) override {
    const int64_t length = config_.length > 0 ? config_.length : context.training_context();
    const auto blocks = assay::evaluation::even_blocks(context, length + 1, config_.texts);
    const auto count = static_cast<int64_t>(blocks.size());
    std::map<std::string, std::pair<double, double>> sums;
    for (int64_t begin = 0; begin < count; begin += config_.rows) {
      const int64_t rows = std::min(config_.rows, count - begin);
      assay::Batch batch;
      batch.tokens = at::empty({rows, length}, at::kLong);
      batch.targets = at::empty({rows, length}, at::kLong);
      batch.row_id = batch.sample_id = at::arange(begin, begin + rows, at::kLong);
      for (int64_t row = 0; row < rows; ++row) {
        const auto& ids = blocks[static_cast<size_t>(begin + row)].ids;
        std::copy_n(ids.begin(), length, batch.tokens.data_ptr<int64_t>() + row * length);
        std::copy_n(ids.begin() + 1, length, batch.targets.data_ptr<int64_t>() + row * length);
      }
      for (const auto& [name, value] : context.objectives(batch)) {
        sums[name].first += value.first;
        sums[name].second += value.second;
      }
      context.progress(static_cast<double>(begin + rows) / static_cast<double>(count));
    }
    for (const auto& [name, value] : sums)
      context.metric({name, value.first, value.second, "", Direction::kNone, {}, value.second > 0});
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("held_out", "1.1.0", assay::component<HeldOut>("held_out"))
