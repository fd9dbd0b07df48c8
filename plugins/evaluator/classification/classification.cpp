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
using assay::evaluation::Share;

// Decisions about classes: true positives, false positives, false negatives.
struct Decisions {
  double right_on = 0, wrong_on = 0, missed = 0;
  void add(bool given, bool is) { right_on += given && is, wrong_on += given && !is, missed += !given && is; }
  void add(const Decisions& other) { right_on += other.right_on, wrong_on += other.wrong_on, missed += other.missed; }
  // F1, 2 TP / (2 TP + FP + FN).
  Share f1() const { return {2 * right_on, 2 * right_on + wrong_on + missed}; }
};

class Classification final : public assay::Evaluator {
 public:
  struct Config {
    assay::Child<assay::Transform> transform;
    int64_t documents = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Labels held-out rows by the run's classifier: accuracy, micro-F1, macro-F1 and F1 by class, beside the "
            "accuracy and micro-F1 of the training split's most frequent label (majority). 95% intervals are Wilson's "
            "for accuracy and a bootstrap over rows for micro-F1.")
        .paper("arXiv:2011.00620")
        .param("transform", &Config::transform, "The transform that makes the rows: that of training.")
        .param("documents", &Config::documents, "Number of documents, evenly spaced in the split; 0: all.", 0);
  }
  explicit Classification(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (!config_.transform || config_.transform->stage() != assay::Stage::kSequences)
      findings.push_back("needs the transform that makes rows with labels, such as 'labelled'");
    const auto classes = classes_of(assembly);
    if (classes.empty()) findings.push_back("needs an objective that classifies, such as 'classifier'");
    if (!classes.empty() && config_.transform)
      if (auto fault = assay::labelled::mismatch(config_.transform->classes(), classes); !fault.empty())
        findings.push_back(std::move(fault));
    return findings;
  }

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    return assay::evaluation::findings_of_rows(check, config_.transform.get(), config_.documents);
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly& assembly) const override {
    std::vector<assay::Metric> metrics;
    for (const auto* name : {"accuracy", "accuracy_low", "accuracy_high", "micro_f1", "micro_f1_low", "micro_f1_high",
                             "macro_f1", "majority", "majority_micro_f1", "rows"})
      metrics.push_back({.name = name});
    for (const auto& label : classes_of(assembly)) metrics.push_back({.name = "f1_" + label});
    return metrics;
  }

  void evaluate(assay::EvaluationContext& context) override {
    auto* const classifier = context.classifier();
    const auto classes = classifier ? classifier->classes() : std::vector<std::string>();
    const auto size = classes.size();
    const bool several = classifier && classifier->has_several_labels();
    const auto rows = classifier ? rows_of(context, size, several) : std::vector<Sample>();
    std::vector<Decisions> by_class(size);
    std::vector<Share> by_row;  // F1
    Share exact;
    std::vector<assay::ExampleRow> examples;
    assay::evaluation::each_batch(context, rows, [&](size_t first, size_t last, const assay::Batch& batch) {
      const auto score_BC = classifier->class_scores(context.forward(batch)).to(at::kCPU, at::kDouble).contiguous();
      for (size_t i = first; i < last; ++i) {
        const auto given = chosen(score_BC.const_data_ptr<double>() + (i - first) * size, *classifier);
        const auto& label = label_of(rows[i]);
        Decisions own;
        for (size_t c = 0; c < size; ++c)
          own.add(given[c] > 0, label[c] > 0), by_class[c].add(given[c] > 0, label[c] > 0);
        by_row.push_back(own.f1());
        exact.add(given == label);
        examples.push_back({rows[i].id, {{"accuracy", given == label ? 1.0 : 0.0}}, {}});
      }
    });
    report(context, classes, by_class, by_row, exact);
    report_majority(context, rows, size, several);
    for (const auto& example : examples) context.example(example);
  }

 private:
  using Label = std::vector<float>;  // by class, 1 or 0
  static const Label& label_of(const Sample& row) { return row.channels.at(assay::labelled::kChannel); }

  static std::vector<std::string> classes_of(const assay::Assembly& assembly) {
    for (const auto* objective : assembly.objectives)
      if (auto classes = objective->classes(); !classes.empty()) return classes;
    return {};
  }

  static bool is_labelled(const Label& label) {
    return std::any_of(label.begin(), label.end(), [](float mark) { return mark > 0; });
  }

  // The rows of the split that have a label, or where rows may have several, a set of them, which may be empty.
  std::vector<Sample> rows_of(assay::EvaluationContext& context, size_t classes, bool several) const {
    const auto& dataset = context.dataset();
    std::vector<Sample> rows;
    for (const auto index : assay::evaluation::evenly_spaced(dataset.size(context.split()), config_.documents)) {
      const auto document = dataset.document(context.split(), index);
      for (auto& row : assay::evaluation::rows_of(context, *config_.transform, document, index)) {
        const auto label = row.channels.find(assay::labelled::kChannel);
        if (label == row.channels.end() || !(several || is_labelled(label->second))) continue;
        if (label->second.size() != classes)
          throw assay::UserError("document '" + document.id + "': the row has labels of " +
                                 std::to_string(label->second.size()) + " classes, and the classifier has " +
                                 std::to_string(classes) + "; give the transform of training");
        rows.push_back(std::move(row));
      }
    }
    return rows;
  }

  static Label chosen(const double* scores, const assay::Objective& classifier) {
    Label given(classifier.classes().size(), 0);
    if (classifier.has_several_labels())
      for (size_t c = 0; c < given.size(); ++c) given[c] = scores[c] > 0;
    else
      given[static_cast<size_t>(std::max_element(scores, scores + given.size()) - scores)] = 1;
    return given;
  }

  static void report(assay::EvaluationContext& context, const std::vector<std::string>& classes,
                     const std::vector<Decisions>& by_class, const std::vector<Share>& by_row, const Share& exact) {
    assay::evaluation::report_share(context, "accuracy", exact, assay::evaluation::wilson(exact));
    Decisions all;
    Share macro;
    for (const auto& one : by_class) {
      all.add(one);
      if (one.f1().all > 0) macro.hits += one.f1().value(), ++macro.all;
    }
    assay::evaluation::report_share(context, "micro_f1", all.f1(),
                                    assay::evaluation::bootstrap(by_row, context.draws()));
    report_value(context, "macro_f1", macro, Direction::kHigher);
    for (size_t c = 0; c < classes.size(); ++c)
      report_value(context, "f1_" + classes[c], by_class[c].f1(), Direction::kHigher);
    context.metric({"rows", exact.all, 1, "", Direction::kNone, {}});
  }

  // What the most frequent label of training gives on these rows.
  void report_majority(assay::EvaluationContext& context, const std::vector<Sample>& rows, size_t classes,
                       bool several) const {
    constexpr int64_t kMostCounted = 20000;
    const auto& dataset = context.dataset();
    std::map<Label, int64_t> counts;
    const auto documents = rows.empty() ? 0 : dataset.size(assay::Split::kTrain);
    for (const auto index : assay::evaluation::evenly_spaced(documents, kMostCounted))
      for (const auto& row : assay::evaluation::rows_of(context, *config_.transform,
                                                        dataset.document(assay::Split::kTrain, index), index))
        if (row.channels.count(assay::labelled::kChannel) && (several || is_labelled(label_of(row))))
          ++counts[label_of(row)];
    const auto most = std::max_element(counts.begin(), counts.end(),
                                       [](const auto& one, const auto& other) { return one.second < other.second; });
    Share exact;
    Decisions all;
    for (const auto& row : rows) {
      if (most == counts.end()) break;
      exact.add(most->first == label_of(row));
      for (size_t c = 0; c < classes; ++c) all.add(most->first.at(c) > 0, label_of(row)[c] > 0);
    }
    report_value(context, "majority", exact, Direction::kNone);
    report_value(context, "majority_micro_f1", all.f1(), Direction::kNone);
  }

  static void report_value(assay::EvaluationContext& context, const std::string& name, const Share& share,
                           Direction direction) {
    context.metric({name, share.hits, std::max(share.all, 1.0), "", direction, {}, share.all > 0});
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("classification", "1.0.0", assay::component<Classification>("classification"))
