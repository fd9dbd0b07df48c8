// Fakes of the interfaces that the core gives to components: small, with values that a test chooses and records of the
// calls.
#pragma once

#include <ATen/ops/empty.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "assay/dataset.h"
#include "assay/evaluator.h"
#include "assay/model.h"
#include "assay/objective.h"
#include "assay/tokenizer.h"
#include "harness.h"

namespace assay::testing {

template <class T = double>
std::vector<T> values_of(const Tensor& tensor) {
  const auto flat = tensor.detach().to(c10::CppTypeToScalarType<T>::value).contiguous();
  return {flat.template data_ptr<T>(), flat.template data_ptr<T>() + flat.numel()};
}

class FakeModel : public Model {
 public:
  bool is_causal = true;
  int64_t model_width = 8;
  std::optional<int64_t> longest;

  bool causal() const override { return is_causal; }
  int64_t layers() const override { return 1; }
  int64_t width() const override { return model_width; }
  std::optional<int64_t> limit() const override { return longest; }
  ModelOutput forward(const Batch&, const ForwardOptions&) override { throw Bug("not for this test"); }
  int64_t padded_vocabulary() const override { return 257; }
  Tensor logits(const Tensor&) override { throw Bug("not for this test"); }
  ModelOutput extend(Cache&, const Tensor&, const Tensor&) override { throw Bug("not for this test"); }
  double forward_flops(int64_t, int64_t) const override { return 0; }
};

// A model whose -ln p(target) is a given function of input, target and place in the row.
class FakeForward : public Forward {
 public:
  using Nll = std::function<double(int64_t input, int64_t target, int64_t position)>;
  FakeForward(Batch batch, Nll nll) : batch_(std::move(batch)), nll_(std::move(nll)) {}
  Tensor states, whole_logits;  // values that a test may set
  std::map<int64_t, Tensor> layers;
  std::function<Tensor(const Tensor& hidden, const Tensor& targets)> chosen_nll;

  const Batch& batch() const override { return batch_; }
  Tensor hidden() override {
    if (!states.defined()) throw Bug("not for this test");
    return states;
  }
  Tensor hidden(int64_t layer) override { return layers.at(layer); }
  Tensor logits() override {
    if (!whole_logits.defined()) throw Bug("not for this test");
    return whole_logits;
  }
  Tensor logits(const Tensor&) override { throw Bug("not for this test"); }
  Tensor token_nll(const Tensor& hidden, const Tensor& targets) override {
    if (!chosen_nll) throw Bug("not for this test");
    return chosen_nll(hidden, targets);
  }
  Tensor sample(const Tensor&, const std::vector<Draws>&) override { throw Bug("not for this test"); }
  Tensor token_nll() override {
    const auto tokens = values_of<int64_t>(batch_.tokens), targets = values_of<int64_t>(batch_.targets);
    auto out = at::empty(batch_.tokens.sizes(), at::kFloat);
    for (size_t i = 0; i < tokens.size(); ++i)
      out.data_ptr<float>()[i] =
          static_cast<float>(nll_(tokens[i], targets[i], static_cast<int64_t>(i) % batch_.length()));
    return out;
  }

 private:
  Batch batch_;
  Nll nll_;
};

class FakeDataset : public Dataset {
 public:
  std::map<Split, std::vector<std::string>> texts;
  int64_t size(Split split) const override {
    return texts.count(split) ? static_cast<int64_t>(texts.at(split).size()) : 0;
  }
  Document document(Split split, int64_t index) const override {
    return {texts.at(split).at(static_cast<size_t>(index)), std::to_string(index), {}};
  }
  std::vector<Source> sources() const override { return {{"fake", "", ""}}; }
};

// Returns the names and coordinates of the metrics, in order.
inline std::multiset<std::pair<std::string, std::map<std::string, double>>> named(const std::vector<Metric>& metrics) {
  std::multiset<std::pair<std::string, std::map<std::string, double>>> names;
  for (const auto& metric : metrics) names.emplace(metric.name, metric.coordinates);
  return names;
}

// Evaluation over bytes with end of text 256; records the batches and the metrics.
// A run of which a test needs only some parts.
class FakeTrainedRun : public TrainedRun {
 public:
  Model& model() override { throw Bug("not for this test"); }
  Tensor embedding_gradient(const Batch&, const std::function<Tensor(Forward&)>&) override {
    throw Bug("not for this test");
  }
  Tensor steepest_tokens(const Tensor&, int64_t) override { throw Bug("not for this test"); }
  std::vector<std::vector<double>> log_probs(const std::vector<int32_t>&, const std::vector<Scored>&) override {
    throw Bug("not for this test");
  }
};

class FakeEvaluation : public EvaluationContext {
 public:
  FakeModel fake_model;
  FakeDataset data;
  Split on = Split::kValidation;
  int64_t trained_at = 64, at_once = 1024;
  FakeForward::Nll nll;
  std::function<Tensor(const Batch&)> logits;
  std::function<std::map<int64_t, Tensor>(const Batch&)> states;  // by layer; -1: after the final norm
  std::function<Tensor(const Tensor& hidden, const Tensor& targets)> chosen_nll;
  std::function<std::vector<Continuation>(const std::vector<Prompt>&, int64_t)> decodes;
  std::function<std::map<std::string, std::pair<double, double>>(const Batch&)> objective_sums;
  std::function<TrainedRun&(const RunReference&)> others;
  std::vector<Batch> batches;
  std::vector<Metric> metrics;
  std::vector<ExampleRow> examples;
  std::vector<double> shares;  // the progress that the evaluator reported
  TrainedRun* run = nullptr;

  Model& model() override { return fake_model; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  Split split() const override { return on; }
  const Dataset& dataset() const override { return data; }
  int64_t training_context() const override { return trained_at; }
  int64_t tokens_per_forward() const override { return at_once; }
  Forward& forward(const Batch& batch, const std::vector<int64_t>&) override {
    batches.push_back(batch);
    last_.emplace(batch, nll);
    last_->whole_logits = logits ? logits(batch) : Tensor();
    last_->chosen_nll = chosen_nll;
    last_->layers = states ? states(batch) : std::map<int64_t, Tensor>();
    last_->states = last_->layers.count(-1) ? last_->layers.at(-1) : Tensor();
    return *last_;
  }
  std::vector<Continuation> decode(Decoder&, const std::vector<Prompt>& prompts, int64_t tokens) override {
    if (!decodes) throw Bug("not for this test");
    return decodes(prompts, tokens);
  }
  std::map<std::string, std::pair<double, double>> objectives(const Batch& batch) override {
    batches.push_back(batch);
    if (!objective_sums) throw Bug("not for this test");
    return objective_sums(batch);
  }
  TrainedRun& own() override {
    if (!run) throw Bug("not for this test");
    return *run;
  }
  TrainedRun& other(const RunReference& run) override {
    if (!others) throw Bug("not for this test");
    return others(run);
  }
  Draws draws() const override { return {1, "test"}; }
  Draws common_draws() const override { return {1, "all"}; }
  void metric(const Metric& metric) override { metrics.push_back(metric); }
  void example(const ExampleRow& row) override { examples.push_back(row); }
  void progress(double share) override { shares.push_back(share); }

  // Returns the one metric of this name with exactly these coordinates.
  const Metric& metric(const std::string& name, const std::map<std::string, double>& at) const {
    const Metric* found = nullptr;
    for (const auto& known : metrics) {
      if (known.name != name || known.coordinates != at) continue;
      if (found) throw std::runtime_error("metric " + name + " is there twice");
      found = &known;
    }
    if (!found) throw std::runtime_error("there is no metric " + name + " at these coordinates");
    return *found;
  }
  // Adds special tokens as if training components had declared them.
  void add_special(const std::vector<std::string>& names) {
    auto special = vocabulary_.special();
    for (const auto& name : names) special.emplace(name, 256 + static_cast<int64_t>(special.size()));
    vocabulary_ = Vocabulary(*tokenizer_, 256 + static_cast<int64_t>(special.size()), special);
  }

  const Metric& metric(const std::string& name, double length) const { return metric(name, {{"length", length}}); }
  double value(const std::string& name, double length) const {
    return metric(name, length).sum / metric(name, length).weight;
  }

 private:
  Made<Tokenizer> tokenizer_ = make<Tokenizer>("bytes");
  Vocabulary vocabulary_{*tokenizer_, 257, {{kEndOfText, 256}}};
  std::optional<FakeForward> last_;
};

class FakePrepare : public PrepareContext {
 public:
  Batch of;
  std::map<std::string, double> denominators;
  Batch& batch() override { return of; }
  Draws draws() const override { return {1, "test"}; }
  Draws text_draws() const override { return {1, "texts"}; }
  void denominator(const std::string& name, double amount) override { denominators[name] += amount; }
};

class FakeLoss : public LossContext {
 public:
  struct Term {
    double sum, weight;
    std::string denominator;
    Tensor tensor;  // the sum with its graph
  };
  FakeLoss(const Batch& batch, FakeForward::Nll nll) : forward_(batch, std::move(nll)) {}
  std::map<std::string, double> denominators;
  std::map<std::string, Term> terms;

  void set_hidden(const Tensor& states) { forward_.states = states; }
  const Batch& batch() const override { return forward_.batch(); }
  Forward& forward() override { return forward_; }
  Forward& forward(const std::string&, const Batch&, Model*, bool) override { throw Bug("not for this test"); }
  Draws draws() const override { return {1, "test"}; }
  double denominator(const std::string& name) const override { return denominators.at(name); }
  void term(const std::string& name, const Tensor& sum, const std::string& denominator, double weight) override {
    terms[name] = {sum.item<double>(), weight, denominator, sum};
  }

 private:
  FakeForward forward_;
};

}  // namespace assay::testing
