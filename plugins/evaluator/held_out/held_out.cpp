// The run's own objectives on held-out text: their terms, and all that they log of a step, without dropout and always
// with the same draws. So a loss of training can be read where it was not trained, whatever the objective.
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
    int64_t texts = 256, length = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Terms and logged metrics of the run's objectives on held-out text, called <objective>.<name> as in "
            "training; terms without their weights.")
        .param("texts", &Config::texts, "How many pieces of the split, at even distances.", 1)
        .param("length", &Config::length, "Tokens of a piece; 0: the training context.", 0);
  }
  explicit HeldOut(const Config& config) : config_(config) {}

  void evaluate(assay::EvaluationContext& context) override {
    const int64_t length = config_.length > 0 ? config_.length : context.training_context();
    const auto blocks = assay::evaluation::even_blocks(context, length + 1, config_.texts);
    const auto count = static_cast<int64_t>(blocks.size());
    const auto at_once = std::max(context.tokens_per_forward() / length, kFewestRows);
    std::map<std::string, std::pair<double, double>> sums;
    for (int64_t begin = 0; begin < count; begin += at_once) {
      const int64_t rows = std::min(at_once, count - begin);
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
    }
    for (const auto& [name, value] : sums)
      context.metric({name, value.first, value.second, "", Direction::kNone, {}, value.second > 0});
  }

 private:
  static constexpr int64_t kFewestRows = 16;  // so that losses between rows have some

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("held_out", "1.0.0", assay::component<HeldOut>("held_out"))
