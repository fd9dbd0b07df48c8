// Another run's classifier as a judge of texts: the probability of its classes that are named.
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "../../evaluator/rows.h"
#include "../../shared/labelled_rows.h"
#include "../../shared/token_bytes.h"
#include "assay/objective.h"
#include "assay/plugin.h"
#include "assay/scorer.h"

namespace {

using assay::Attribution;
using assay::EvaluationContext;
using assay::Sample;
using assay::Tensor;
using assay::UserError;
namespace labelled = assay::labelled;

class ClassifierRun final : public assay::Scorer {
 public:
  struct Config {
    assay::RunReference run;
    std::vector<std::string> classes;
    int64_t max_tokens = 0;
    std::string attribution = "leave_one_out";
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "The probability that another run's classifier gives to some of its classes: their sum where a text has "
            "one class, the greatest where it may have several.")
        .param("run", &Config::run, "The run, which has the objective 'classifier'; none: the evaluated run itself.")
        .required("classes", &Config::classes, "The classes that count, such as \"toxic\".")
        .param("max_tokens", &Config::max_tokens,
               "Every text is cut to this many tokens, as in its training; 0: none is.", 0)
        .param("attribution", &Config::attribution,
               "How tokens are blamed. leave_one_out: by how much the score falls without the token; gradient: by the "
               "product of its embedding and the gradient of the score.",
               {"leave_one_out", "gradient"});
  }
  explicit ClassifierRun(const Config& config) : config_(config) {
    if (config_.classes.empty()) throw UserError("classes: name the classes that count");
  }

  std::string judge() const override { return config_.run.folder.empty() ? "this run" : "run " + config_.run.folder; }

  std::vector<double> score(EvaluationContext& context, const std::vector<std::string>& texts) override {
    auto& run = open(context);
    std::vector<std::vector<int32_t>> ids;
    for (const auto& text : texts) ids.push_back(labelled::row_of({text}, run.vocabulary(), config_.max_tokens));
    return scores(run, ids);
  }

  std::vector<Attribution> attribute(EvaluationContext& context, const std::string& text) override {
    auto& run = open(context);
    const auto ids = labelled::row_of({text}, run.vocabulary(), config_.max_tokens);
    if (ids.empty()) return {};
    auto parts = parts_of(run.vocabulary().tokenizer(), ids);
    const auto values = config_.attribution == "gradient" ? by_gradient(run, ids) : without_each(run, ids);
    for (size_t i = 0; i < parts.size(); ++i) parts[i].value = values[i];
    return parts;
  }

 private:
  assay::TrainedRun& open(EvaluationContext& context) const {
    auto& run = config_.run.folder.empty() ? context.own() : context.other(config_.run);
    if (!run.classifier())
      throw UserError("run: that run has no objective that classifies; name a run of 'classifier'");
    places_of(*run.classifier());
    return run;
  }

  // The classes that count, by place. UserError for one that the classifier does not have.
  std::vector<int64_t> places_of(const assay::Objective& classifier) const {
    const auto known = classifier.classes();
    std::vector<int64_t> places;
    for (const auto& name : config_.classes) {
      const auto found = std::find(known.begin(), known.end(), name);
      if (found == known.end())
        throw UserError("classes: '" + name + "' is not a class of that run's classifier; its classes are " +
                        assay::cells::joined(known, ", "));
      places.push_back(found - known.begin());
    }
    return places;
  }

  // [B] from [B, classes].
  Tensor share(const assay::Objective& classifier, const Tensor& score_BC) const {
    const auto index = at::tensor(places_of(classifier), at::kLong).to(score_BC.device());
    if (classifier.has_several_labels()) return at::sigmoid(score_BC).index_select(1, index).amax(1);
    return at::softmax(score_BC, -1).index_select(1, index).sum(1).clamp(0, 1);
  }

  static Sample row(const assay::TrainedRun& run, const std::vector<int32_t>& ids) {
    Sample sample;
    sample.tokens = ids;
    sample.tokens.insert(sample.tokens.begin(), static_cast<int32_t>(run.vocabulary().special(assay::kEndOfText)));
    sample.source = 1;
    return sample;
  }

  // Texts of like length are scored together.
  std::vector<double> scores(assay::TrainedRun& run, const std::vector<std::vector<int32_t>>& texts) const {
    constexpr size_t kAtOnce = 32;
    std::vector<size_t> order(texts.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return texts[a].size() < texts[b].size(); });
    std::vector<double> all(texts.size());
    for (size_t first = 0; first < order.size(); first += kAtOnce) {
      const auto last = std::min(first + kAtOnce, order.size());
      std::vector<Sample> rows;
      for (size_t i = first; i < last; ++i) rows.push_back(row(run, texts[order[i]]));
      const auto batch = assay::evaluation::batch_of(rows, 0, rows.size(), run.vocabulary());
      auto& classifier = *run.classifier();
      const auto share_B =
          share(classifier, classifier.class_scores(run.forward(batch))).to(at::kCPU, at::kDouble).contiguous();
      for (size_t i = first; i < last; ++i) all[order[i]] = share_B.const_data_ptr<double>()[i - first];
    }
    return all;
  }

  std::vector<double> without_each(assay::TrainedRun& run, const std::vector<int32_t>& ids) const {
    std::vector<std::vector<int32_t>> texts{ids};
    for (size_t i = 0; i < ids.size(); ++i) {
      texts.push_back(ids);
      texts.back().erase(texts.back().begin() + static_cast<std::ptrdiff_t>(i));
    }
    const auto found = scores(run, texts);
    std::vector<double> values;
    for (size_t i = 0; i < ids.size(); ++i) values.push_back(found[0] - found[i + 1]);
    return values;
  }

  std::vector<double> by_gradient(assay::TrainedRun& run, const std::vector<int32_t>& ids) const {
    const auto batch = assay::evaluation::batch_of({row(run, ids)}, 0, 1, run.vocabulary());
    auto& classifier = *run.classifier();
    const auto gradient_1TD = run.embedding_gradient(
        batch, [&](assay::Forward& forward) { return share(classifier, classifier.class_scores(forward)).sum(); });
    const auto product_T =
        (gradient_1TD * run.model().embed(batch.tokens.to(gradient_1TD.device()))).sum(-1)[0].to(at::kCPU, at::kDouble);
    const auto values = product_T.contiguous();
    return {values.const_data_ptr<double>() + 1, values.const_data_ptr<double>() + values.numel()};
  }

  // The bytes of each token in the text, without the white space before them.
  static std::vector<Attribution> parts_of(const assay::Tokenizer& tokenizer, const std::vector<int32_t>& ids) {
    const auto text = tokenizer.decode(ids);
    std::vector<Attribution> parts;
    for (auto [begin, end] : assay::text::bytes_of(ids, [&](const auto& some) { return tokenizer.decode(some); })) {
      while (begin < end && text[static_cast<size_t>(begin)] == ' ') ++begin;
      parts.push_back({begin, end, 0});
    }
    return parts;
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("classifier_run", "1.0.0", assay::component<ClassifierRun>("classifier"))
