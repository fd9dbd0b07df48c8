// Transforms: pure functions of sample and draws with well-formed results; the rate is the fraction of changed samples.
#include "assay/transform.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "check/stand_ins.h"
#include "check/subject.h"
#include "check/tiny_run.h"

namespace assay::check {
namespace {

constexpr int64_t kDocuments = 400, kContext = 12;

// Transform, tokenizer and vocabulary of a run.
class Bound {
 public:
  explicit Bound(const Subject& subject, const nlohmann::json& given = nlohmann::json::object()) {
    TinyRun tiny(subject);
    tiny.line.train.transforms[0].config.update(given);
    run_ = std::make_unique<run::Assembled>(subject.registry, tiny.line);
    if (tiny.examples.empty()) return;
    examples_ = std::make_unique<ExampleDocuments>(tiny.examples);
    run_->dataset = examples_.get();
  }
  const Transform& transform() const { return *run_->transforms[0]; }
  const Vocabulary& vocabulary() const { return *run_->vocabulary; }

  // The input of the stage: a text, its tokens, or a sequence of T + 1 tokens.
  Sample sample(int64_t index) const {
    const auto& dataset = *run_->dataset;
    const auto document = dataset.document(Split::kTrain, index % dataset.size(Split::kTrain));
    Sample sample;
    sample.id = document.id;
    if (transform().stage() == Stage::kDocument) {
      sample.text = document.text;
      return sample;
    }
    sample.tokens = run_->tokenizer->encode(document.text);
    if (transform().stage() == Stage::kContext) {
      sample.id.clear();
      sample.tokens.resize(kContext + 1, 32);
    }
    return sample;
  }
  Sample changed(int64_t index, const Draws& draws) const {
    auto sample = this->sample(index);
    transform().apply(sample, draws);
    return sample;
  }
  // What it makes of the sample: one, or the sequences of a document.
  std::vector<Sample> results(int64_t index, const Draws& draws) const {
    if (transform().stage() != Stage::kSequences) return {changed(index, draws)};
    const auto& dataset = *run_->dataset;
    return transform().sequences(dataset.document(Split::kTrain, index % dataset.size(Split::kTrain)), draws);
  }

 private:
  std::unique_ptr<run::Assembled> run_;
  std::unique_ptr<ExampleDocuments> examples_;
};

Draws draws_of(int64_t index, uint64_t seed = 1) {
  return Draws(seed, "check").substream(static_cast<uint64_t>(index));
}

std::string text_of(const Sample& sample) {
  std::string text = sample.id + "\n" + sample.text + "\n" + sample.view + "\n" + std::to_string(sample.source) + "\n";
  for (const auto id : sample.tokens) text += std::to_string(id) + " ";
  for (const auto weight : sample.loss_weight) text += exact(weight) + " ";
  for (const auto segment : sample.segment) text += std::to_string(segment) + " ";
  for (const bool real : sample.key_mask) text += real ? "1" : "0";
  for (const auto& [name, values] : sample.channels) {
    text += "\n" + name;
    for (const auto value : values) text += " " + exact(value);
  }
  return text;
}

std::string text_of(const std::vector<Sample>& samples) {
  std::string text;
  for (const auto& sample : samples) text += text_of(sample) + "\n";
  return text;
}

// What is wrong with the length of a result; "" for nothing.
std::string length_fault(const Bound& bound, const Sample& sample) {
  const auto tokens = sample.tokens.size();
  const auto stage = bound.transform().stage();
  const bool may_drop = stage != Stage::kContext && stage != Stage::kSequences && !bound.transform().keeps_text();
  if (sample.text.empty() && tokens == 0 && !may_drop) return "the result is empty";
  if (stage == Stage::kContext && tokens != kContext + 1)
    return std::to_string(tokens) + " tokens instead of " + std::to_string(kContext + 1);
  if (!sample.loss_weight.empty() && sample.loss_weight.size() != tokens)
    return std::to_string(sample.loss_weight.size()) + " loss weights for " + std::to_string(tokens) + " tokens";
  if (!sample.segment.empty() && sample.segment.size() != tokens)
    return std::to_string(sample.segment.size()) + " segments for " + std::to_string(tokens) + " tokens";
  if (!sample.key_mask.empty() && stage != Stage::kContext) return "it has a key_mask, but only stage context may pad";
  if (!sample.key_mask.empty() && sample.key_mask.size() != tokens)
    return "a key_mask of " + std::to_string(sample.key_mask.size()) + " for " + std::to_string(tokens) + " tokens";
  if (stage == Stage::kSequences && (sample.source < 0 || sample.source >= static_cast<int64_t>(tokens)))
    return "a source of " + std::to_string(sample.source) + " for " + std::to_string(tokens) + " tokens";
  return "";
}

std::string well_formed(const Subject& subject) {
  const Bound bound(subject);
  const auto views = bound.transform().views();
  std::optional<std::vector<std::pair<std::string, size_t>>> channels;
  for (int64_t i = 0; i < kDocuments; ++i)
    for (const auto& sample : bound.results(i, draws_of(i))) {
      const auto where = "sample " + std::to_string(i) + ": ";
      std::vector<std::pair<std::string, size_t>> own;
      for (const auto& [name, values] : sample.channels) own.emplace_back(name, values.size());
      if (channels && own != *channels) return where + "its channels differ from those of sample 0";
      channels = own;
      if (const auto fault = length_fault(bound, sample); !fault.empty()) return where + fault;
      for (const auto id : sample.tokens)
        if (id < 0 || id >= bound.vocabulary().size())
          return where + "the id " + std::to_string(id) + " is not in the vocabulary";
      for (const auto weight : sample.loss_weight)
        if (!std::isfinite(weight) || weight < 0) return where + "a loss weight is " + std::to_string(weight);
      if (bound.transform().stage() == Stage::kSequences &&
          std::find(views.begin(), views.end(), sample.view) == views.end())
        return where + "the view '" + sample.view + "' is not among views()";
    }
  return "";
}

// The bytes of the text, sorted, without special tokens.
std::string contents(const Bound& bound, const Sample& sample) {
  std::string bytes = sample.text;
  if (!sample.tokens.empty()) bytes = bound.vocabulary().tokenizer().decode(sample.tokens);
  std::sort(bytes.begin(), bytes.end());
  return bytes;
}

std::string nothing_lost(const Subject& subject) {
  const Bound bound(subject);
  if (!bound.transform().keeps_text()) return "";
  for (int64_t i = 0; i < kDocuments; ++i)
    if (contents(bound, bound.changed(i, draws_of(i))) != contents(bound, bound.sample(i)))
      return "sample " + std::to_string(i) + " has other bytes afterwards, although keeps_text() is true";
  return "";
}

std::string seeds(const Subject& subject) {
  const Bound one(subject), other(subject);
  const auto text = [](const Bound& bound, int64_t index) { return text_of(bound.results(index, draws_of(index))); };
  for (int64_t i = 0; i < kDocuments; ++i) {
    const auto found = text(one, i);
    // In another order and after other samples.
    const auto again = text(other, kDocuments - 1 - i);
    if (text(other, i) != found) return "sample " + std::to_string(i) + " depends on samples transformed before it";
    if (text(one, kDocuments - 1 - i) != again)
      return "sample " + std::to_string(kDocuments - 1 - i) + " depends on the instance";
  }
  return "";
}

std::vector<bool> changed_at(const Subject& subject, const std::string& parameter, double rate, uint64_t seed = 1) {
  const Bound bound(subject, {{parameter, rate}});
  std::vector<bool> changed;
  for (int64_t i = 0; i < kDocuments; ++i)
    changed.push_back(text_of(bound.changed(i, draws_of(i, seed))) != text_of(bound.sample(i)));
  return changed;
}

// P(X <= k) of a binomial distribution.
double at_most(int64_t k, int64_t n, double p) {
  double sum = 0;
  for (int64_t i = 0; i <= k; ++i) {
    const auto yes = static_cast<double>(i), no = static_cast<double>(n - i);
    sum += std::exp(std::lgamma(yes + no + 1) - std::lgamma(yes + 1) - std::lgamma(no + 1) + yes * std::log(p) +
                    no * std::log1p(-p));
  }
  return sum;
}

// The fraction of changed samples among those that it can change.
std::string rates_of_change(const Subject& subject) {
  const std::string rate_parameter = Bound(subject).transform().rate_parameter();
  if (rate_parameter.empty() || Bound(subject).transform().stage() == Stage::kSequences) return "";
  const auto never = changed_at(subject, rate_parameter, 0), always = changed_at(subject, rate_parameter, 1);
  if (std::count(never.begin(), never.end(), true)) return rate_parameter + " = 0 changes samples";
  const auto can = std::count(always.begin(), always.end(), true);
  if (can == 0) return rate_parameter + " = 1 changes no sample";
  for (const double rate : {0.1, 0.5, 0.9}) {
    const auto now = changed_at(subject, rate_parameter, rate);
    int64_t count = 0;
    for (size_t i = 0; i < now.size(); ++i) count += now[i] && always[i];
    if (at_most(count, can, rate) < 1e-6 || at_most(count - 1, can, rate) > 1 - 1e-6)
      return rate_parameter + " = " + std::to_string(rate) + " changes " + std::to_string(count) + " of " +
             std::to_string(can) + " samples, which has a probability below 1e-6";
  }
  if (changed_at(subject, rate_parameter, 0.5, 1) == changed_at(subject, rate_parameter, 0.5, 2))
    return "two seeds change the same samples";
  return "";
}

}  // namespace

void transform(const Subject& subject) {
  subject.property("its results are well formed", [&] { return well_formed(subject); });
  subject.property("no text is lost if keeps_text() is true", [&] { return nothing_lost(subject); });
  subject.property("a result depends only on the sample and its draws", [&] { return seeds(subject); });
  subject.property("its rate is the fraction of samples that it changes, and another seed changes other samples",
                   [&] { return rates_of_change(subject); });
}

}  // namespace assay::check
