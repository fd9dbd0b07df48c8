// How well a run's classifier labels held-out rows: accuracy, F1 over all decisions (micro), their mean over classes
// (macro) and by class, beside the share of the most frequent class of the training split. Forbes et al. 2020,
// arXiv:2011.00620, report micro-F1, which for one label per row is the accuracy.
#include <map>

#include "../../shared/labelled_rows.h"
#include "../rows.h"
#include "../shares.h"
#include "assay/plugin.h"

namespace {

using assay::Direction;
using assay::Sample;

struct Decisions {
  double right_on = 0, wrong_on = 0, missed = 0;  // true positives, false positives, false negatives
  bool any() const { return right_on + wrong_on + missed > 0; }
  // 2 TP / (2 TP + FP + FN), as sum and weight.
  double twice_right() const { return 2 * right_on; }
  double weight() const { return 2 * right_on + wrong_on + missed; }
};

class Classification final : public assay::Evaluator {
 public:
  struct Config {
    assay::Child<assay::Transform> transform;
    bool multiple = false;
    int64_t documents = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Labels held-out rows by the run's classifier: accuracy with its 95% interval, micro-F1, macro-F1 and F1 "
            "by "
            "class, beside the share of the training split's most frequent label (majority).")
        .paper("arXiv:2011.00620")
        .param("transform", &Config::transform, "The transform that makes the rows: that of training.")
        .param("multiple", &Config::multiple,
               "Whether a row may have several classes, or none: each is then on where its score is above 0; otherwise "
               "the "
               "class with the highest score is.")
        .param("documents", &Config::documents, "Number of documents, evenly spaced in the split; 0: all.", 0);
  }
  explicit Classification(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (!config_.transform) findings.push_back("needs the transform that makes rows with labels, such as 'labelled'");
    if (classes_of(assembly).empty()) findings.push_back("needs an objective that classifies, such as 'classifier'");
    return findings;
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly& assembly) const override {
    std::vector<assay::Metric> metrics;
    for (const auto* name : {"accuracy", "accuracy_low", "accuracy_high", "micro_f1", "macro_f1", "majority", "rows"})
      metrics.push_back({.name = name});
    for (const auto& label : classes_of(assembly)) metrics.push_back({.name = "f1_" + label});
    return metrics;
  }

  void evaluate(assay::EvaluationContext& context) override {
    auto* const classifier = context.classifier();
    const auto classes = classifier ? classifier->classes() : std::vector<std::string>();
    const auto rows =
        classifier && config_.transform ? rows_of(context, context.split(), config_.documents) : std::vector<Sample>();
    std::vector<Decisions> by_class(classes.size());
    assay::evaluation::Share exact;
    std::vector<assay::ExampleRow> examples;
    assay::evaluation::each_batch(context, rows, [&](size_t first, size_t last, const assay::Batch& batch) {
      const auto score_BC = classifier->class_scores(context.forward(batch)).to(at::kCPU, at::kDouble).contiguous();
      for (size_t i = first; i < last; ++i) {
        const auto on = chosen(score_BC.const_data_ptr<double>() + (i - first) * classes.size(), rows[i]);
        const auto& label = rows[i].channels.at(assay::labelled::kChannel);
        bool equal = true;
        for (size_t c = 0; c < classes.size(); ++c) {
          const bool is = label[c] > 0;
          by_class[c].right_on += on[c] && is;
          by_class[c].wrong_on += on[c] && !is;
          by_class[c].missed += !on[c] && is;
          equal = equal && on[c] == is;
        }
        exact.add(equal);
        examples.push_back({rows[i].id, {{"accuracy", equal ? 1.0 : 0.0}}, {}});
      }
    });
    report(context, classes, by_class, exact, majority(context, rows));
    for (const auto& example : examples) context.example(example);
  }

 private:
  static std::vector<std::string> classes_of(const assay::Assembly& assembly) {
    for (const auto* objective : assembly.objectives)
      if (auto classes = objective->classes(); !classes.empty()) return classes;
    return {};
  }

  std::vector<Sample> rows_of(assay::EvaluationContext& context, assay::Split split, int64_t documents) const {
    const auto& dataset = context.dataset();
    std::vector<Sample> rows;
    for (const auto index : assay::evaluation::evenly_spaced(dataset.size(split), documents)) {
      const auto document = dataset.document(split, index);
      for (auto& row : assay::evaluation::rows_of(context, *config_.transform, document, index)) {
        row.id = document.id;
        rows.push_back(std::move(row));
      }
    }
    return rows;
  }

  // Which classes are on.
  std::vector<bool> chosen(const double* scores, const Sample& row) const {
    const auto& label = row.channels.at(assay::labelled::kChannel);
    std::vector<bool> on(label.size());
    if (config_.multiple)
      for (size_t c = 0; c < on.size(); ++c) on[c] = scores[c] > 0;
    else
      on[static_cast<size_t>(std::max_element(scores, scores + on.size()) - scores)] = true;
    return on;
  }

  // How often the most frequent label of the training split is that of a row.
  assay::evaluation::Share majority(assay::EvaluationContext& context, const std::vector<Sample>& rows) const {
    if (rows.empty()) return {};
    std::map<std::vector<float>, int64_t> counts;
    for (const auto& row : rows_of(context, assay::Split::kTrain, config_.documents))
      ++counts[row.channels.at(assay::labelled::kChannel)];
    const auto most = std::max_element(counts.begin(), counts.end(),
                                       [](const auto& one, const auto& other) { return one.second < other.second; });
    assay::evaluation::Share share;
    for (const auto& row : rows)
      share.add(most != counts.end() && row.channels.at(assay::labelled::kChannel) == most->first);
    return share;
  }

  void report(assay::EvaluationContext& context, const std::vector<std::string>& classes,
              const std::vector<Decisions>& by_class, const assay::evaluation::Share& exact,
              const assay::evaluation::Share& most_frequent) const {
    assay::evaluation::report_share(context, "accuracy", exact);
    Decisions all;
    double sum = 0, counted = 0;
    for (const auto& one : by_class) {
      all.right_on += one.right_on, all.wrong_on += one.wrong_on, all.missed += one.missed;
      if (one.any()) sum += one.twice_right() / one.weight(), ++counted;
    }
    context.metric({"micro_f1", all.twice_right(), std::max(all.weight(), 1.0), "", Direction::kHigher, {}, all.any()});
    context.metric({"macro_f1", sum, std::max(counted, 1.0), "", Direction::kHigher, {}, counted > 0});
    context.metric({"majority",
                    most_frequent.hits,
                    std::max(most_frequent.all, 1.0),
                    "",
                    Direction::kNone,
                    {},
                    most_frequent.all > 0});
    context.metric({"rows", exact.all, 1, "", Direction::kNone, {}});
    for (size_t c = 0; c < classes.size(); ++c)
      context.metric({"f1_" + classes[c],
                      by_class[c].twice_right(),
                      std::max(by_class[c].weight(), 1.0),
                      "",
                      Direction::kHigher,
                      {},
                      by_class[c].any()});
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("classification", "1.0.0", assay::component<Classification>("classification"))
