// A linear probe: logistic regression on a text's representation, with the model frozen. Alain and Bengio 2016,
// arXiv:1610.01644. The label is a field of the documents, for instance the book that a chapter is from. The probe is
// trained on documents of the training split and tested on those of the evaluation's split, so that no document is in
// both; the model was trained on the former without labels and has never seen the latter.
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "../../shared/encoder_tokens.h"
#include "../bounded_text.h"
#include "../sequences.h"
#include "assay/plugin.h"
#include "assay/tokenizer.h"
#include "regression.h"

namespace {

using assay::Direction;
using assay::Split;
using assay::Tensor;
using assay::evaluation::Sequence;

class Probe final : public assay::Evaluator {
 public:
  struct Config {
    std::string field = "file", pooling = "cls";
    int64_t length = 64, train_texts = 200, test_texts = 100;
    double l2 = 0.01;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Accuracy of a linear probe that predicts a field of documents from a text's representation, with "
            "the 95% interval over held-out documents (accuracy_low, accuracy_high); all labels have equally "
            "many texts.")
        .paper("arXiv:1610.01644")
        .param("field", &Config::field, "Field of the documents to predict.")
        .param("pooling", &Config::pooling,
               "Vector of a text: the final state of [CLS], or the mean of the text's final states.", {"cls", "mean"})
        .param("length", &Config::length, "Tokens per text, without [CLS].", 1)
        .param("train_texts", &Config::train_texts, "Maximum number of texts per label to train the probe on.", 1)
        .param("test_texts", &Config::test_texts, "Maximum number of texts per label to test the probe on.", 1)
        .param("l2", &Config::l2, "L2 penalty of the regression: l2 / 2 times its squared weights.", 0, 1e6);
  }
  explicit Probe(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    return assay::evaluation::findings_of_bidirectional(assembly);
  }
  void special_tokens(assay::SpecialTokens& tokens) const override {
    for (const auto* name : {assay::encoder::kCls, assay::encoder::kPad}) tokens.declare(name);
  }

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    if (check.split == Split::kTrain) return {{kTestsOnTraining}, {}};
    assay::evaluation::BoundedEncoder test_encoder(check.tokenizer), train_encoder(check.tokenizer);
    const auto test = labels_of(check, check.split, test_encoder, nullptr);
    const auto labels = labels_of(check, Split::kTrain, train_encoder, &test);
    const bool is_all_seen = !test_encoder.is_cut() && !train_encoder.is_cut();
    if (labels.size() < 2 && is_all_seen) return {{too_few(labels.size(), check.split)}, {}};
    return {};
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly&) const override {
    return {{.name = "accuracy"}, {.name = "accuracy_low"}, {.name = "accuracy_high"}, {.name = "chance"}};
  }

  void evaluate(assay::EvaluationContext& context) override {
    if (context.split() == Split::kTrain) throw assay::UserError(kTestsOnTraining);
    if (const auto limit = context.model().limit(); limit && *limit < config_.length + 1)
      return report(context, {}, 0, false);
    const auto& tokenizer = context.vocabulary().tokenizer();
    const auto train = texts_of(context.dataset(), tokenizer, Split::kTrain),
               test = texts_of(context.dataset(), tokenizer, context.split());
    const auto labels = labels_of_both(train, test);
    if (labels.size() < 2) throw assay::UserError(too_few(labels.size(), context.split()));
    const auto [train_texts, train_labels] = together(train, labels, config_.train_texts);
    const auto [test_texts, test_labels] = together(test, labels, config_.test_texts);
    assay::evaluation::Work work(context, static_cast<double>(train_texts.size() + test_texts.size()));
    const auto represent = [&](const std::vector<Text>& texts) {
      std::vector<Sequence> sequences;
      for (const auto& text : texts) sequences.push_back(text.ids);
      return assay::evaluation::represented(context, sequences, config_.pooling, work);
    };
    const assay::probe::Regression regression(represent(train_texts), at::tensor(train_labels, at::kLong),
                                              static_cast<int64_t>(labels.size()), config_.l2);
    if (!regression.converged())
      throw assay::UserError("probe: the regression did not converge with l2 = " + std::to_string(config_.l2) +
                             "; give a larger l2");
    const auto predicted = regression.ln_p(represent(test_texts)).argmax(1).contiguous();
    std::map<std::string, Score> by_document;
    for (size_t i = 0; i < test_texts.size(); ++i) {
      auto& score = by_document[test_texts[i].document];
      score.right += predicted.const_data_ptr<int64_t>()[i] == test_labels[i] ? 1 : 0;
      score.texts += 1;
    }
    report(context, by_document, static_cast<double>(labels.size()), true);
  }

 private:
  struct Text {
    std::string document;
    Sequence ids;
  };
  using ByLabel = std::map<std::string, std::vector<Text>>;
  struct Score {
    double right = 0, texts = 0;
  };

  static constexpr const char* kTestsOnTraining =
      "trains on the training split and is tested on another; evaluate validation or test";

  std::string too_few(size_t labels, Split split) const {
    return "the training split and the split '" + std::string(name_of(split)) + "' have " + std::to_string(labels) +
           " values of the field '" + config_.field + "' in common, in documents of " + std::to_string(config_.length) +
           " tokens; at least two are needed. Use splits that every label has documents in";
  }

  // Labels of documents that are long enough; with `among`, the first two of these labels that are in it.
  std::set<std::string> labels_of(const assay::SplitToCheck& check, Split split,
                                  assay::evaluation::BoundedEncoder& encoder,
                                  const std::set<std::string>* among) const {
    std::set<std::string> labels;
    for (int64_t i = 0; i < check.dataset.size(split) && !(among && labels.size() == 2); ++i) {
      const auto document = check.dataset.document(split, i);
      const auto label = document.fields.find(config_.field);
      if (label == document.fields.end() || labels.count(label->second) || (among && !among->count(label->second)) ||
          static_cast<int64_t>(document.text.size()) < config_.length)
        continue;
      if (static_cast<int64_t>(encoder.encode(document.text, config_.length).size()) >= config_.length)
        labels.insert(label->second);
    }
    return labels;
  }

  static std::vector<std::string> labels_of_both(const ByLabel& train, const ByLabel& test) {
    std::vector<std::string> labels;
    for (const auto& [label, texts] : train)
      if (test.count(label)) labels.push_back(label);
    return labels;
  }

  // Pieces of the documents that have the field.
  ByLabel texts_of(const assay::Dataset& dataset, const assay::Tokenizer& tokenizer, Split split) const {
    ByLabel all;
    for (int64_t i = 0; i < dataset.size(split); ++i) {
      const auto document = dataset.document(split, i);
      const auto label = document.fields.find(config_.field);
      if (label == document.fields.end()) continue;
      const auto ids = tokenizer.encode(document.text);
      for (auto from = ids.begin(); ids.end() - from >= config_.length; from += config_.length)
        all[label->second].push_back({document.id, {from, from + config_.length}});
    }
    return all;
  }

  // Evenly spaced texts, equally many per label and at most `most`; and each text's label.
  static std::pair<std::vector<Text>, std::vector<int64_t>> together(const ByLabel& texts,
                                                                     const std::vector<std::string>& labels,
                                                                     int64_t most) {
    auto fewest = static_cast<size_t>(most);
    for (const auto& label : labels) fewest = std::min(fewest, texts.at(label).size());
    std::pair<std::vector<Text>, std::vector<int64_t>> out;
    for (size_t label = 0; label < labels.size(); ++label) {
      const auto& all = texts.at(labels[label]);
      for (size_t i = 0; i < fewest; ++i) {
        out.first.push_back(all[i * all.size() / fewest]);
        out.second.push_back(static_cast<int64_t>(label));
      }
    }
    return out;
  }

  void report(assay::EvaluationContext& context, const std::map<std::string, Score>& by_document, double labels,
              bool available) const {
    double right = 0, texts = 0;
    std::vector<Score> scores;
    for (const auto& [document, score] : by_document) {
      right += score.right;
      texts += score.texts;
      scores.push_back(score);
      context.example({document, {{"accuracy", score.right}, {"texts", score.texts}}, {}});
    }
    const auto [low, high] = interval(scores, context.draws());
    context.metric({"accuracy", right, std::max(texts, 1.0), "", Direction::kHigher, {}, available});
    context.metric({"accuracy_low", low, 1, "", Direction::kNone, {}, available});
    context.metric({"accuracy_high", high, 1, "", Direction::kNone, {}, available});
    context.metric({"chance", 1, std::max(labels, 1.0), "", Direction::kNone, {}, available});
  }

  // The middle 95% of bootstrap accuracies (Efron and Tibshirani 1993, ch. 13). Texts of one document are alike, so
  // documents are resampled.
  static std::pair<double, double> interval(const std::vector<Score>& scores, const assay::Draws& draws) {
    if (scores.empty()) return {0, 0};
    constexpr size_t kResamples = 2000;
    std::vector<double> accuracies;
    for (size_t sample = 0; sample < kResamples; ++sample) {
      const auto own = draws.substream(sample);
      Score sum;
      for (size_t i = 0; i < scores.size(); ++i) {
        const auto& drawn = scores[own.below(scores.size(), i)];
        sum.right += drawn.right;
        sum.texts += drawn.texts;
      }
      accuracies.push_back(sum.right / sum.texts);
    }
    std::sort(accuracies.begin(), accuracies.end());
    return {accuracies[kResamples * 25 / 1000], accuracies[kResamples * 975 / 1000]};
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("probe", "1.1.0", assay::component<Probe>("probe"))
