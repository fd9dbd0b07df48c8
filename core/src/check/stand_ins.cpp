#include "check/stand_ins.h"

#include <c10/core/GradMode.h>

#include "assay/dataset.h"
#include "assay/nn.h"
#include "assay/objective.h"
#include "assay/optimizer.h"
#include "assay/plugin.h"
#include "assay/scheduler.h"
#include "assay/tokenizer.h"
#include "assay/tracker.h"
#include "assay/transform.h"

namespace assay::check {
namespace {

constexpr int64_t kStandInWidth = 16;

class NoPositions final : public Positional {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("No positions."); }
  explicit NoPositions(const Config&) {}
};

class StandInModel final : public Model {
 public:
  struct Config {
    bool causal = true;
    double dropout = 0.0;
    Child<Positional> positional{kStandIn};
  };
  static void describe(auto& schema) {
    schema.doc("Two layers of attention and feed-forward, 16 wide, four heads.")
        .param("causal", &Config::causal, "Whether a position attends only to earlier positions.")
        .param("dropout", &Config::dropout, "Dropout rate of both branches of each layer.", 0, 0.99)
        .param("positional", &Config::positional, "The positional scheme.");
  }
  explicit StandInModel(const Config& config) : config_(config) {
    auto& scheme = *config_.positional;
    guard(scheme, "fit", [&] { scheme.fit({kLayers, kHeads, kWidth}); });
  }

  void bind(const Vocabulary& vocabulary) override { vocabulary_ = vocabulary.size(); }
  void build(Parameters& parameters) override {
    embedding_ = nn::VocabularyEmbedding(parameters.scope("embedding"), vocabulary_, 8, kWidth, 0.2);
    for (int64_t l = 0; l < kLayers; ++l) {
      const auto scope = parameters.scope("layers." + std::to_string(l));
      auto& block = blocks_.emplace_back();
      block.norm = nn::LayerNorm(scope.scope("norm"), kWidth, true);
      block.attention = nn::Attention(scope.scope("attention"), {.layer = l,
                                                                 .width = kWidth,
                                                                 .heads = kHeads,
                                                                 .causal = config_.causal,
                                                                 .bias = false,  // the key bias has no gradient
                                                                 .init_std = 0.2,
                                                                 .output_std = 0.2,
                                                                 .dropout = {config_.dropout, 3 * l}});
      block.up = nn::ColumnLinear(scope.scope("up"), kWidth, 2 * kWidth, true, 0.2);
      block.down = nn::RowLinear(scope.scope("down"), 2 * kWidth, kWidth, true, 0.2);
    }
    norm_ = nn::LayerNorm(parameters.scope("norm"), kWidth, true);
  }

  bool causal() const override { return config_.causal; }
  int64_t layers() const override { return kLayers; }
  int64_t width() const override { return kWidth; }
  bool splits_sequence() const override { return true; }
  int64_t padded_vocabulary() const override { return embedding_.padded(); }
  std::optional<int64_t> limit() const override { return config_.positional->limit(); }
  Tensor embed(const Tensor& tokens) const override { return embedding_(tokens); }
  TokenTable token_table() const override { return embedding_.table(); }
  Tensor logits(const Tensor& hidden) override { return embedding_.logits(hidden); }
  double forward_flops(int64_t length, int64_t) const override { return static_cast<double>(length); }

  ModelOutput forward(const Batch& given, const ForwardOptions& options) override {
    return run(nn::with_defaults(given), options, nullptr);
  }
  ModelOutput extend(Cache& cache, const Tensor& tokens, const Tensor& mask) override {
    const c10::NoGradGuard no_grad;
    return run(nn::extend(cache, tokens, mask, kLayers), {}, &cache);
  }

 private:
  static constexpr int64_t kLayers = 2, kHeads = 4, kWidth = kStandInWidth;
  struct Block {
    nn::LayerNorm norm;
    nn::Attention attention;
    nn::ColumnLinear up;
    nn::RowLinear down;
  };

  ModelOutput run(const Batch& batch, const ForwardOptions& options, Cache* cache) const {
    const auto& scheme = *config_.positional;
    ModelOutput out;
    const auto positions = nn::sequence_part(batch.positions);
    auto x = options.embeddings.defined() ? nn::sequence_part(options.embeddings) : embedding_(batch.tokens);
    x = checked_embedding(scheme, x, positions);
    const auto keep = [&](int64_t layer) {
      for (const auto wanted : options.hidden_layers)
        if (wanted == layer) out.hidden[layer] = nn::whole_sequence(x);
    };
    keep(0);
    for (int64_t l = 0; l < kLayers; ++l) {
      const auto& block = blocks_[static_cast<size_t>(l)];
      x = x + block.attention(block.norm(x), scheme, batch, options.key, cache);
      const auto inner = block.down(nn::gelu_tanh(block.up(x)));
      x = x + nn::dropout(inner, {config_.dropout, 3 * l + 1}, options.key, batch.row_id, positions);
      keep(l + 1);
    }
    out.final_BTD = nn::whole_sequence(norm_(x));
    return out;
  }

  Config config_;
  int64_t vocabulary_ = 0;
  nn::VocabularyEmbedding embedding_;
  std::vector<Block> blocks_;
  nn::LayerNorm norm_;
};

class StandInDataset final : public Dataset {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Forty documents of made-up words, and four in each other split."); }
  explicit StandInDataset(const Config&) {}
  int64_t size(Split split) const override { return split == Split::kTrain ? 40 : 4; }
  Document document(Split split, int64_t index) const override {
    const auto id = std::string(name_of(split)) + std::to_string(index);
    const Draws draws(7, id);
    std::string text;
    for (uint64_t i = 0; i < 30; ++i) text += std::string(1 + draws.below(6, i), static_cast<char>('a' + i % 9)) + ' ';
    return {text, id, {{"kind", index % 2 == 0 ? "even" : "odd"}}};
  }
  std::vector<Source> sources() const override { return {{"made up", "", ""}}; }
};

class StandInTokenizer final : public Tokenizer {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Bytes."); }
  explicit StandInTokenizer(const Config&) {}
  int64_t size() const override { return 256; }
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

class StandInOptimizer final : public Optimizer {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Gradient descent at a rate of 0.1."); }
  explicit StandInOptimizer(const Config&) {}
  double peak_rate() const override { return 0.1; }
  void attach(std::vector<Parameter>& parameters, const Mesh&) override { parameters_ = &parameters; }
  void step(double lr, double) override {
    for (auto& parameter : *parameters_)
      if (parameter.value.grad().defined()) parameter.value.sub_(parameter.value.grad(), lr);
  }
  std::vector<State> state() override { return {}; }

 private:
  std::vector<Parameter>* parameters_ = nullptr;
};

class StandInScheduler final : public Scheduler {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("1 throughout."); }
  explicit StandInScheduler(const Config&) {}
  double multiplier(int64_t, const RunLength&) const override { return 1; }
};

class StandInObjective final : public Objective {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("Next-token cross entropy."); }
  explicit StandInObjective(const Config&) {}
  void prepare(PrepareContext& context) override {
    const auto& weight = context.batch().loss_weight;
    context.denominator("targets", weight.defined() ? weight.sum().item<double>()
                                                    : static_cast<double>(context.batch().targets.numel()));
  }
  void loss(LossContext& context) override {
    auto nll = context.forward().token_nll();
    if (context.batch().loss_weight.defined()) nll = nll * context.batch().loss_weight;
    context.term("nll", nll.sum(), "targets");
  }
};

// Scores rows by the state of their last token.
class StandInClassifier final : public Objective {
 public:
  struct Config {};
  static void describe(auto& schema) { schema.doc("A linear classifier of whole rows, \"no\" or \"yes\"."); }
  explicit StandInClassifier(const Config&) {}
  void build(Parameters& parameters) override {
    out_ = nn::Linear(parameters.scope("out"), kStandInWidth, 2, true, 0.5);
  }
  std::vector<std::string> classes() const override { return {"no", "yes"}; }
  Tensor class_scores(Forward& forward) override {
    const auto h_BTD = forward.hidden();
    const auto& mask_BT = forward.batch().key_mask;
    if (!mask_BT.defined()) return out_(h_BTD.select(1, h_BTD.size(1) - 1));
    const auto last_B1D = (mask_BT.sum(1) - 1).view({-1, 1, 1}).expand({-1, 1, h_BTD.size(2)});
    return out_(h_BTD.gather(1, last_B1D).squeeze(1));
  }
  void prepare(PrepareContext& context) override {
    context.denominator("rows", static_cast<double>(context.batch().rows()));
  }
  void loss(LossContext& context) override {
    context.term("scores", class_scores(context.forward()).pow(2).sum(), "rows");
  }

 private:
  nn::Linear out_;
};

// For an evaluator that needs special tokens, which only training components may add to the vocabulary, and for a
// classifier, which needs rows with labels.
class StandInTransform final : public Transform {
 public:
  struct Config {
    std::vector<std::string> special_tokens;
    int64_t classes = 0;
  };
  static void describe(auto& schema) {
    schema.doc("Changes nothing, or makes rows of documents.")
        .param("special_tokens", &Config::special_tokens, "The special tokens to declare.")
        .param("classes", &Config::classes, "Number of classes of the rows' labels; 0: no rows.", 0);
  }
  explicit StandInTransform(const Config& config) : config_(config) {}
  void special_tokens(SpecialTokens& tokens) const override {
    for (const auto& name : config_.special_tokens) tokens.declare(name);
  }
  void bind(const Vocabulary& vocabulary) override { tokenizer_ = &vocabulary.tokenizer(); }
  Stage stage() const override { return config_.classes > 0 ? Stage::kSequences : Stage::kTokens; }
  std::vector<std::string> views() const override { return {kStandIn}; }
  void apply(Sample&, const Draws&) const override {}
  // The beginning of a text, of a length and a class of its own.
  std::vector<Sample> sequences(const Document& document, const Draws&) const override {
    Sample sample;
    sample.view = kStandIn;
    sample.tokens = tokenizer_->encode(document.text);
    const auto number = static_cast<size_t>(stream_key(0, document.id) % 8);
    sample.tokens.resize(4 + number);
    auto& label = sample.channels["label"];
    label.assign(static_cast<size_t>(config_.classes), 0);
    label[number % label.size()] = 1;
    return {sample};
  }

 private:
  Config config_;
  const Tokenizer* tokenizer_ = nullptr;
};

}  // namespace

const AssayPlugin& stand_ins() {
  static const auto* components = new std::vector<AssayComponent>{component<NoPositions>(kStandIn),
                                                                  component<StandInModel>(kStandIn),
                                                                  component<StandInDataset>(kStandIn),
                                                                  component<StandInTokenizer>(kStandIn),
                                                                  component<StandInOptimizer>(kStandIn),
                                                                  component<StandInScheduler>(kStandIn),
                                                                  component<StandInObjective>(kStandIn),
                                                                  component<StandInTransform>(kStandIn),
                                                                  component<StandInClassifier>(kStandInClassifier)};
  static const AssayPlugin plugin{"stand_ins", "1.0.0", components->data(), components->size()};
  return plugin;
}

}  // namespace assay::check
