// Likelihood of held-out rows that a transform makes of documents, by view: of the output and of all tokens, per token
// that is not padding. Beside it the number that code prints which divides by padding, too (Forbes et al. 2020,
// arXiv:2011.00620, in its released scripts): it is marked, and cannot be compared with a perplexity.
#include <cmath>
#include <map>

#include "../rows.h"
#include "assay/plugin.h"

namespace {

using assay::Direction;
using assay::Sample;

struct Likelihood {
  double output_nats = 0, output_tokens = 0, all_nats = 0, all_tokens = 0, rows = 0;
};

class Views final : public assay::Evaluator {
 public:
  struct Config {
    assay::Child<assay::Transform> transform{"norm_views"};
    int64_t documents = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Negative log-likelihood and perplexity of rows that a transform makes of held-out documents, by view: of "
            "the "
            "output (<view>_nll, <view>_perplexity), and of all tokens (<view>_nll_all), each per token that is not "
            "padding.")
        .paper("arXiv:2011.00620")
        .param("transform", &Config::transform,
               "The transform that makes the rows; it may have other views than training.")
        .param("documents", &Config::documents, "Number of documents, evenly spaced in the split; 0: all.", 0);
  }
  explicit Views(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (!config_.transform || config_.transform->stage() != assay::Stage::kSequences)
      findings.push_back("needs a transform that makes rows of documents, such as norm_views");
    if (!assembly.model->causal())
      findings.push_back("predicts the next token, which a bidirectional model sees; use a causal model");
    return findings;
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly&) const override {
    std::vector<assay::Metric> metrics;
    if (!config_.transform) return metrics;
    for (const auto& view : config_.transform->views())
      for (const auto* name : {"_nll", "_perplexity", "_nll_all", "_perplexity_all", "_perplexity_padded", "_tokens"})
        metrics.push_back({.name = view + name});
    return metrics;
  }

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    return assay::evaluation::findings_of_rows(check, config_.transform.get(), config_.documents);
  }

  void evaluate(assay::EvaluationContext& context) override {
    const auto& dataset = context.dataset();
    std::vector<Sample> rows;
    std::vector<size_t> document_of;  // of each row, index in `examples`
    std::vector<assay::ExampleRow> examples;
    for (const auto index : assay::evaluation::evenly_spaced(dataset.size(context.split()), config_.documents)) {
      const auto document = dataset.document(context.split(), index);
      for (auto& row : assay::evaluation::rows_of(context, *config_.transform, document, index)) {
        if (examples.empty() || examples.back().id != document.id) examples.push_back({document.id, {}, {}});
        rows.push_back(std::move(row));
        document_of.push_back(examples.size() - 1);
      }
    }
    const bool has_encoder = context.model().has_encoder();
    std::map<std::string, Likelihood> by_view;
    assay::evaluation::each_batch(context, rows, [&](size_t first, size_t last, const assay::Batch& batch) {
      const auto nll_BT = context.forward(batch).token_nll().to(at::kCPU, at::kDouble).contiguous();
      for (size_t i = first; i < last; ++i) {
        const auto* nll = nll_BT.const_data_ptr<double>() + static_cast<int64_t>(i - first) * nll_BT.size(1);
        auto& likelihood = by_view[rows[i].view];
        auto& numbers = examples[document_of[i]].numbers;
        ++likelihood.rows;
        for (size_t t = 1; t < rows[i].tokens.size(); ++t) {
          const auto nats = nll[t - 1];
          likelihood.all_nats += nats;
          ++likelihood.all_tokens;
          if (static_cast<int64_t>(t) < rows[i].source) continue;
          likelihood.output_nats += nats;
          ++likelihood.output_tokens;
          numbers[rows[i].view + "_nll"] += nats;
          ++numbers[rows[i].view + "_tokens"];
        }
      }
    });
    for (const auto& view : config_.transform->views()) report(context, view, by_view[view], has_encoder);
    for (const auto& example : examples) context.example(example);
  }

 private:
  static void report(assay::EvaluationContext& context, const std::string& view, const Likelihood& found,
                     bool has_encoder) {
    const bool any = found.output_tokens > 0, all = any && !has_encoder;
    const auto weight = [](double tokens) { return std::max(tokens, 1.0); };
    const auto mean = [&](double nats, double tokens) { return nats / weight(tokens); };
    // What code reports that divides by every position of rows as long as those of training.
    const auto positions = found.rows * static_cast<double>(context.training_context());
    context.metric(
        {view + "_nll", found.output_nats, weight(found.output_tokens), "nats/token", Direction::kLower, {}, any});
    context.metric({view + "_perplexity",
                    std::exp(mean(found.output_nats, found.output_tokens)),
                    1,
                    "",
                    Direction::kLower,
                    {},
                    any});
    context.metric(
        {view + "_nll_all", found.all_nats, weight(found.all_tokens), "nats/token", Direction::kLower, {}, all});
    context.metric({view + "_perplexity_all",
                    std::exp(mean(found.all_nats, found.all_tokens)),
                    1,
                    "",
                    Direction::kLower,
                    {},
                    all});
    context.metric({view + "_perplexity_padded",
                    std::exp(mean(found.all_nats, positions)),
                    1,
                    "",
                    Direction::kNone,
                    {},
                    all,
                    "divides by padding, too, as released code does: it is not a perplexity, and it is too low"});
    context.metric({view + "_tokens", found.output_tokens, 1, "tokens", Direction::kNone, {}});
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("views", "1.0.0", assay::component<Views>("views"))
