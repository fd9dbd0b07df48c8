// The kit catches datasets, tokenizers, transforms, decoders, evaluators and trackers that violate one property each.
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <c10/core/GradMode.h>

#include <atomic>

#include "assay/dataset.h"
#include "assay/decoder.h"
#include "assay/evaluator.h"
#include "assay/tokenizer.h"
#include "assay/tracker.h"
#include "assay/transform.h"
#include "unit/check/broken.h"

namespace assay::check {
namespace {

// ---- tokenizers

class Bytes : public Tokenizer {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Bytes."); }
  explicit Bytes(const Config&) {}
  int64_t size() const override { return 257; }
  std::map<std::string, int64_t> special_ids() const override { return {{kEndOfText, 256}}; }
  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids;
    for (const char byte : text) ids.push_back(static_cast<unsigned char>(byte));
    return ids;
  }
  std::string decode(const std::vector<int32_t>& ids) const override {
    std::string text;
    for (const auto id : ids)
      if (id < 256) text += static_cast<char>(id);
    return text;
  }
};
TEST(BrokenTokenizer, NoFaultsOfAValidOne) { expect_faults<Bytes>({}); }

struct DropsZeros : Bytes {
  using Bytes::Bytes;
  std::vector<int32_t> encode(std::string_view text) const override {
    auto ids = Bytes::encode(text);
    std::erase(ids, 0);
    return ids;
  }
};
TEST(BrokenTokenizer, BytesThatDoNotComeBack) { expect_faults<DropsZeros>({"decode(encode(x)) is x for any bytes"}); }

struct ReadsSpecialTokens : Bytes {
  using Bytes::Bytes;
  std::vector<int32_t> encode(std::string_view text) const override {
    if (text == kEndOfText) return {256};
    return Bytes::encode(text);
  }
  std::string decode(const std::vector<int32_t>& ids) const override {
    return ids == std::vector<int32_t>{256} ? kEndOfText : Bytes::decode(ids);
  }
};
TEST(BrokenTokenizer, TextThatIsASpecialToken) {
  expect_faults<ReadsSpecialTokens>({"ids are in range, and no text encodes to a special token"});
}

struct ReadsItsOwnTokens : Bytes {
  using Bytes::Bytes;
  std::map<std::string, int64_t> special_ids() const override { return {{kEndOfText, 256}, {"<|pad|>", 256}}; }
  std::vector<int32_t> encode(std::string_view text) const override {
    if (text == "<|pad|>") return {256};
    return Bytes::encode(text);
  }
};
TEST(BrokenTokenizer, TextThatIsASpecialTokenOfItsOwn) {
  expect_faults<ReadsItsOwnTokens>({"ids are in range, and no text encodes to a special token"});
}

struct ThreadedBytes : Bytes {
  using Bytes::Bytes;
  std::vector<int32_t> encode(std::string_view text) const override {
    auto ids = Bytes::encode(text);
    if (on_another_thread()) std::reverse(ids.begin(), ids.end());
    return ids;
  }
};
TEST(BrokenTokenizer, StateOfAThread) { expect_fault<ThreadedBytes>("it is reproducible, also in two threads"); }

// ---- datasets

class Words : public Dataset {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Made-up words."); }
  explicit Words(const Config&) {}
  int64_t size(Split split) const override { return split == Split::kTrain ? 30 : 3; }
  Document document(Split split, int64_t index) const override {
    if (index < 0 || index >= size(split)) throw UserError("no such document");
    const auto id = std::string(name_of(split)) + std::to_string(index);
    return {"some words of document " + id + " and then some more", id, {}};
  }
  std::vector<Source> sources() const override { return {{"made up", "", ""}}; }
};
TEST(BrokenDataset, NoFaultsOfAValidOne) { expect_faults<Words>({}); }

struct OneIdInTwoSplits : Words {
  using Words::Words;
  Document document(Split split, int64_t index) const override {
    auto document = Words::document(split, index);
    document.id = std::to_string(index);
    return document;
  }
};
TEST(BrokenDataset, Ids) { expect_faults<OneIdInTwoSplits>({"ids are unique across all splits"}); }

struct HasNoEnd : Words {
  using Words::Words;
  Document document(Split split, int64_t index) const override {
    return Words::document(split, std::clamp<int64_t>(index, 0, size(split) - 1));
  }
};
TEST(BrokenDataset, Ends) { expect_faults<HasNoEnd>({"an index outside a split is rejected"}); }

struct HasNoSource : Words {
  using Words::Words;
  std::vector<Source> sources() const override { return {}; }
};
TEST(BrokenDataset, Sources) { expect_faults<HasNoSource>({"it names its sources"}); }

struct ReadsOn : Words {
  using Words::Words;
  Document document(Split split, int64_t index) const override {
    auto document = Words::document(split, index);
    document.text += std::to_string(read_++);
    return document;
  }
  mutable int read_ = 0;
};
TEST(BrokenDataset, RandomAccess) { expect_fault<ReadsOn>("documents do not depend on the access order"); }

struct ThreadedWords : Words {
  using Words::Words;
  Document document(Split split, int64_t index) const override {
    auto document = Words::document(split, index);
    if (on_another_thread()) document.text += "!";
    return document;
  }
};
TEST(BrokenDataset, StateOfAThread) { expect_fault<ThreadedWords>("it is reproducible, also in two threads"); }

struct NothingToTrainOn : Words {
  using Words::Words;
  int64_t size(Split split) const override { return split == Split::kTest ? 40 : 0; }
};
TEST(BrokenDataset, NoTrainingTextIsNoFault) { expect_faults<NothingToTrainOn>({}); }

// ---- transforms

class Reverse : public Transform {
 public:
  struct Config {
    double rate = 0.5;
  };
  static void describe(auto& schema) {
    schema.doc("Turns a share of the texts round.").param("rate", &Config::rate, "The share.", 0, 1);
  }
  explicit Reverse(const Config& config) : config_(config) {}
  Stage stage() const override { return Stage::kTokens; }
  bool keeps_text() const override { return true; }
  const char* rate_parameter() const override { return "rate"; }
  void apply(Sample& sample, const Draws& draws) const override {
    if (draws.uniform(0) < config_.rate) std::reverse(sample.tokens.begin(), sample.tokens.end());
  }

 protected:
  Config config_;
};
TEST(BrokenTransform, NoFaultsOfAValidOne) { expect_faults<Reverse>({}); }

struct LosesTheLast : Reverse {
  using Reverse::Reverse;
  void apply(Sample& sample, const Draws& draws) const override {
    Reverse::apply(sample, draws);
    if (draws.uniform(0) < config_.rate) sample.tokens.pop_back();
  }
};
TEST(BrokenTransform, Losses) { expect_faults<LosesTheLast>({"no text is lost if keeps_text() is true"}); }

struct SquaresItsRate : Reverse {
  using Reverse::Reverse;
  void apply(Sample& sample, const Draws& draws) const override {
    if (draws.uniform(0) < config_.rate * config_.rate) std::reverse(sample.tokens.begin(), sample.tokens.end());
  }
};
TEST(BrokenTransform, Rates) {
  expect_faults<SquaresItsRate>(
      {"its rate is the fraction of samples that it changes, and another seed changes other samples"});
}

struct HasASeedOfItsOwn : Reverse {
  using Reverse::Reverse;
  void apply(Sample& sample, const Draws&) const override { Reverse::apply(sample, Draws(42, sample.id)); }
};
TEST(BrokenTransform, Seeds) {
  expect_faults<HasASeedOfItsOwn>(
      {"its rate is the fraction of samples that it changes, and another seed changes other samples"});
}

struct WeighsTooFew : Reverse {
  using Reverse::Reverse;
  void apply(Sample& sample, const Draws& draws) const override {
    Reverse::apply(sample, draws);
    if (draws.uniform(0) < config_.rate) sample.loss_weight.assign(3, 1);
  }
};
TEST(BrokenTransform, Form) { expect_fault<WeighsTooFew>("its results are well formed"); }

struct EverySecond : Reverse {
  using Reverse::Reverse;
  void apply(Sample& sample, const Draws&) const override {
    if (config_.rate > 0 && count_++ % 2) std::reverse(sample.tokens.begin(), sample.tokens.end());
  }
  mutable int count_ = 0;
};
TEST(BrokenTransform, Memory) {
  const auto faults = faults_of<EverySecond>();
  EXPECT_NE(std::find(faults.begin(), faults.end(), "a result depends only on the sample and its draws"), faults.end());
}

// ---- decoders

class Likeliest : public Decoder {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("The likeliest token."); }
  explicit Likeliest(const Config&) {}
  Choice next(DecodeContext& context) override { return {context.logits().argmax(-1), {}}; }
};
TEST(BrokenDecoder, NoFaultsOfAValidOne) { expect_faults<Likeliest>({}); }

struct OutsideTheVocabulary : Likeliest {
  using Likeliest::Likeliest;
  Choice next(DecodeContext& context) override {
    return {at::full_like(context.logits().argmax(-1), context.vocabulary().size()), {}};
  }
};
TEST(BrokenDecoder, Vocabulary) {
  expect_faults<OutsideTheVocabulary>(
      {"the same seed gives the same text, also in two threads", "tensor = 1, 2, 4 choose the same tokens"});
}

std::atomic<int64_t> chosen{0};
struct CountsItsChoices : Likeliest {
  using Likeliest::Likeliest;
  Choice next(DecodeContext& context) override {
    return {at::full_like(context.logits().argmax(-1), ++chosen % context.vocabulary().size()), {}};
  }
};
TEST(BrokenDecoder, Seeds) { expect_fault<CountsItsChoices>("the same seed gives the same text, also in two threads"); }

// ---- evaluators

class Size : public Evaluator {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("How large hidden states are."); }
  explicit Size(const Config&) {}
  void evaluate(EvaluationContext& context) override {
    Batch batch;
    batch.tokens = at::full({2, 6}, 97, at::kLong);
    const auto hidden = context.forward(batch).hidden();
    context.metric({"size",
                    hidden.abs().sum().item<double>() + extra(context, hidden),
                    static_cast<double>(hidden.numel()),
                    "",
                    Direction::kNone,
                    {}});
  }

 protected:
  virtual double extra(EvaluationContext&, const Tensor&) { return 0; }
};
TEST(BrokenEvaluator, NoFaultsOfAValidOne) { expect_faults<Size>({}); }

struct WeighsNothing : Size {
  using Size::Size;
  void evaluate(EvaluationContext& context) override { context.metric({"size", 1, -1, "", Direction::kNone, {}}); }
};
TEST(BrokenEvaluator, Weights) {
  expect_faults<WeighsNothing>({"its metrics are valid, and it does not change the model"});
}

struct PlansAnother : Size {
  using Size::Size;
  std::vector<Metric> planned_metrics(const Assembly&) const override { return {{.name = "extent"}}; }
};
TEST(BrokenEvaluator, PlannedMetrics) {
  expect_faults<PlansAnother>({"its metrics are those of planned_metrics, if it declares any"});
}

struct SeesItsShardAlone : Size {
  using Size::Size;
  double extra(EvaluationContext& context, const Tensor& hidden) override {
    return static_cast<double>(context.model().logits(hidden).size(-1));
  }
};
TEST(BrokenEvaluator, Meshes) { expect_faults<SeesItsShardAlone>({"tensor = 1, 2, 4 give the same metrics"}); }

std::atomic<int> evaluations{0};
struct CountsItsEvaluations : Size {
  using Size::Size;
  double extra(EvaluationContext&, const Tensor&) override { return ++evaluations; }
};
TEST(BrokenEvaluator, StateOfTheProgram) {
  expect_fault<CountsItsEvaluations>("it is reproducible, also in two threads");
}

// ---- trackers

class Quiet : public Tracker {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Listens."); }
  explicit Quiet(const Config&) {}
  void on(std::string_view, std::string_view) override {}
};
TEST(BrokenTracker, NoFaultsOfAValidOne) { expect_faults<Quiet>({}); }

struct KnowsFewEvents : Quiet {
  using Quiet::Quiet;
  void on(std::string_view type, std::string_view) override {
    if (type == "something_new") throw UserError("an unknown event");
  }
};
TEST(BrokenTracker, Events) { expect_faults<KnowsFewEvents>({"it accepts events of every type, known and unknown"}); }

}  // namespace
}  // namespace assay::check
