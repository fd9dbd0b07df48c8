// ScaffoldName: how often the likeliest next token is the right one.
#include "assay/plugin.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <vector>

#include "assay/evaluator.h"
#include "assay/tokenizer.h"

namespace {

class ScaffoldName final : public assay::Evaluator {
 public:
  // The only place where a default stands.
  struct Config {
    int64_t documents = 100;
  };
  static void describe(auto& schema) {
    schema.doc("The share of tokens that the model thinks likeliest.")
        .param("documents", &Config::documents, "At most so many documents are looked at.", 1, 1e9);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  // Gradients are off, and so is dropout.
  void evaluate(assay::EvaluationContext& context) override {
    const auto& dataset = context.dataset();
    const auto& tokenizer = context.vocabulary().tokenizer();
    double right = 0, all = 0;
    for (int64_t i = 0; i < std::min(config_.documents, dataset.size(context.split())); ++i) {
      const auto ids = tokenizer.encode(dataset.document(context.split(), i).text);
      const auto length = std::min(context.training_context(), static_cast<int64_t>(ids.size()) - 1);
      if (length < 1) continue;
      const std::vector<int64_t> tokens(ids.begin(), ids.begin() + length + 1);
      const auto ids_1T = at::tensor(tokens, at::kLong).unsqueeze(0);
      assay::Batch batch;
      batch.tokens = ids_1T.narrow(1, 0, length);
      const auto likeliest_1T = context.forward(batch).logits().argmax(-1);
      right += likeliest_1T.eq(ids_1T.narrow(1, 1, length).to(likeliest_1T.device())).sum().item<double>();
      all += static_cast<double>(length);
    }
    context.metric({.name = "accuracy",
                    .sum = right,
                    .weight = all,
                    .unit = "",
                    .direction = assay::Direction::kHigher,
                    .coordinates = {},
                    .available = all > 0});
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
