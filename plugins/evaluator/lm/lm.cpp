// Language-model evaluation at any context lengths, on non-overlapping blocks and in sliding windows. Press, Smith,
// Lewis 2022, arXiv:2108.12409, sec. 2.2 and app. B. Both are needed: without overlap, much of the gain of longer input
// is that fewer predictions are early in a block.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "../bounded_text.h"
#include "assay/evaluator.h"
#include "assay/plugin.h"
#include "assay/tokenizer.h"

namespace {

using assay::Direction;

// end of text, document, end of text, document, end of text, ...: all tokens but the first are predicted, so that every
// byte and the end of every document are scored once.
struct Stream {
  struct Part {
    std::string id;      // of the document
    int64_t begin, end;  // of its predictions, the end of the document included
    int64_t bytes;       // of its text
  };
  std::vector<int64_t> ids;
  std::vector<Part> documents;
  int64_t bytes = 0;
  int64_t predictions() const { return static_cast<int64_t>(ids.size()) - 1; }
};

// Windows of `length` tokens that advance by `stride`; blocks where the two are equal.
struct Cut {
  int64_t length, stride;
  std::map<std::string, double> coordinates;  // of its metrics
};

class LanguageModel final : public assay::Evaluator {
 public:
  struct Config {
    std::vector<int64_t> lengths, strides;
    int64_t max_tokens = 0;
    bool accuracy = false;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Next-token likelihood on non-overlapping blocks and in sliding windows: nats per token (nll), "
            "perplexity, and bits per byte (all nats, ends of documents included, divided by ln 2 times the "
            "bytes of text).")
        .paper("arXiv:2108.12409")
        .param("lengths", &Config::lengths, "Context lengths in tokens; empty: only that of training.", 1)
        .param("strides", &Config::strides,
               "Strides of sliding windows, which advance by this many tokens and score only the new ones, at "
               "every length and in addition to blocks; their metrics have a coordinate stride. A stride may not "
               "exceed a length; windows whose stride is their length are the blocks.",
               1)
        .param("max_tokens", &Config::max_tokens, "Number of tokens to score, from the start of the split; 0: all.", 0)
        .param("accuracy", &Config::accuracy,
               "Whether to report also how often the most likely token is correct (accuracy), occurs earlier in "
               "the window (rep), or does so and is wrong (wrep; Welleck et al., arXiv:1908.04319, sec. 6.1). "
               "Needs all logits of a batch: 4 bytes times 4096 tokens times the vocabulary.");
  }
  explicit LanguageModel(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (!assembly.model->causal())
      findings.push_back(
          "predicts the next token, which a bidirectional model sees; use a causal model or another "
          "evaluator");
    for (const auto& cut : cuts(assembly.context))
      if (cut.stride > cut.length) findings.push_back(gap_in(cut));
    return findings;
  }

  // At a length above the split's number of tokens the metric is that of shorter windows; a warning here and the
  // metric's note say so.
  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    int64_t longest = 0;
    for (const auto& cut : cuts(check.training_context)) longest = std::max(longest, cut.length);
    const auto enough = config_.max_tokens > 0 ? std::min(config_.max_tokens, longest) : longest;
    assay::evaluation::BoundedEncoder encoder(check.tokenizer);
    int64_t tokens = 0;
    for (int64_t i = 0; i < check.dataset.size(check.split) && tokens < enough && !encoder.is_used_up(); ++i)
      tokens +=
          static_cast<int64_t>(encoder.encode(check.dataset.document(check.split, i).text, enough - tokens).size()) + 1;
    if (tokens < enough && (encoder.is_cut() || encoder.is_used_up())) return {};
    tokens = std::min(tokens, enough);
    if (tokens >= longest) return {};
    return {{}, {"length = " + std::to_string(longest) + ": " + no_window(tokens)}};
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly& assembly) const override {
    std::vector<const char*> names{"nll", "perplexity", "bits_per_byte", "tokens"};
    if (config_.accuracy) names.insert(names.end(), {"accuracy", "rep", "wrep"});
    std::vector<assay::Metric> metrics;
    for (const auto& cut : cuts(assembly.context))
      for (const auto* name : names) metrics.push_back({.name = name, .coordinates = cut.coordinates});
    return metrics;
  }

  void evaluate(assay::EvaluationContext& context) override {
    const auto stream = read(context);
    std::vector<assay::ExampleRow> rows;
    for (const auto& document : stream.documents)
      rows.push_back({document.id,
                      {{"tokens", static_cast<double>(document.end - document.begin)},
                       {"bytes", static_cast<double>(document.bytes)}},
                      {}});
    auto& model = context.model();
    const auto limit = assay::guard(model, "limit", [&] { return model.limit(); });
    const auto is_available = [&](const Cut& cut) { return !limit || *limit >= cut.length; };
    Work work;
    for (const auto& cut : cuts(context.training_context()))
      if (is_available(cut)) work.all += static_cast<double>(stream.predictions()) * cost_of(cut);
    for (const auto& cut : cuts(context.training_context())) {
      if (cut.stride > cut.length) throw assay::UserError(gap_in(cut));
      const bool available = is_available(cut);
      const auto scores = available ? score(context, stream, cut, work) : Scores{};
      const auto& nats = scores.nats;
      report(context, stream, cut, scores, available);
      for (size_t i = 0; i < rows.size() && available; ++i)
        rows[i].numbers[name_of_nll(cut)] =
            std::accumulate(nats.begin() + stream.documents[i].begin, nats.begin() + stream.documents[i].end, 0.0);
    }
    for (const auto& row : rows) context.example(row);
  }

 private:
  // Per length, blocks and then windows of every stride, without repetitions.
  std::vector<Cut> cuts(int64_t training_context) const {
    std::vector<Cut> out;
    const auto add = [&](const Cut& cut) {
      if (std::none_of(out.begin(), out.end(), [&](const Cut& known) { return known.coordinates == cut.coordinates; }))
        out.push_back(cut);
    };
    for (const int64_t L : config_.lengths.empty() ? std::vector<int64_t>{training_context} : config_.lengths) {
      add({L, L, {{"length", static_cast<double>(L)}}});
      for (const int64_t S : config_.strides)
        add({L, S, {{"length", static_cast<double>(L)}, {"stride", static_cast<double>(S)}}});
    }
    return out;
  }

  // Number of tokens to read, for progress.
  struct Work {
    double all = 0, done = 0;
  };
  static double cost_of(const Cut& cut) {  // tokens read per prediction
    return static_cast<double>(cut.length) / static_cast<double>(cut.stride);
  }

  static std::string no_window(int64_t tokens) {
    return "no window is so long, for " + std::to_string(tokens) + " tokens are scored in all";
  }

  static std::string gap_in(const Cut& cut) {
    return "a stride of " + std::to_string(cut.stride) + " would skip tokens between windows of " +
           std::to_string(cut.length) + "; strides must be at most the shortest length";
  }

  Stream read(assay::EvaluationContext& context) const {
    const int64_t end_of_text = context.vocabulary().special(assay::kEndOfText);
    const auto& tokenizer = context.vocabulary().tokenizer();
    Stream stream{{end_of_text}, {}};
    const auto room = [&] { return config_.max_tokens == 0 ? INT64_MAX : config_.max_tokens - stream.predictions(); };
    for (int64_t i = 0; i < context.dataset().size(context.split()) && room() > 0; ++i) {
      const auto document = context.dataset().document(context.split(), i);
      const auto begin = stream.predictions();
      auto ids = tokenizer.encode(document.text);
      const bool whole = static_cast<int64_t>(ids.size()) <= room();
      if (!whole) ids.resize(static_cast<size_t>(room()));
      const auto bytes = static_cast<int64_t>(whole ? document.text.size() : tokenizer.decode(ids).size());
      stream.ids.insert(stream.ids.end(), ids.begin(), ids.end());
      if (room() > 0) stream.ids.push_back(end_of_text);
      stream.documents.push_back({document.id, begin, stream.predictions(), bytes});
      stream.bytes += bytes;
    }
    if (stream.bytes == 0)
      throw assay::UserError(std::string("lm: the split '") + assay::name_of(context.split()) +
                             "' contains no text to score");
    return stream;
  }

  struct Scores {
    std::vector<double> nats;  // -ln p of every prediction, in the order of the stream
    // With accuracy: how many of the most likely tokens are correct, repeat a token of the window, and do so wrongly.
    int64_t right = 0, repeats = 0, wrong_repeats = 0;
  };

  // Each prediction is scored once, by the first window that contains it, so all but the first `length` have at least
  // length - stride tokens of context. Full windows run in batches, the last partial one by itself.
  Scores score(assay::EvaluationContext& context, const Stream& stream, const Cut& cut, Work& work) const {
    const int64_t end = stream.predictions();
    const int64_t rows_at_once = std::max<int64_t>(context.tokens_per_forward() / cut.length, 1);
    Scores scores;
    auto& nats = scores.nats;
    for (int64_t begin = 0; static_cast<int64_t>(nats.size()) < end;) {
      const auto known = nats.size();
      const int64_t width = std::min(cut.length, end - begin);
      const int64_t rows = std::min(rows_at_once, (end - begin - width) / cut.stride + 1);
      auto& forward = context.forward(batch_of(stream, begin, rows, width, cut.stride));
      const auto nll_RT = forward.token_nll().to(at::kCPU, at::kDouble).contiguous();
      const auto best_RT = config_.accuracy ? forward.logits().argmax(-1).to(at::kCPU).contiguous() : assay::Tensor();
      for (int64_t row = 0; row < rows; ++row, begin += cut.stride) {
        const auto* scored = nll_RT.const_data_ptr<double>() + row * width;
        const auto first = static_cast<int64_t>(nats.size()) - begin;
        nats.insert(nats.end(), scored + first, scored + width);
        if (best_RT.defined())
          count_guesses(scores, stream.ids.data() + begin, best_RT.const_data_ptr<int64_t>() + row * width, first,
                        width);
      }
      work.done += static_cast<double>(nats.size() - known) * cost_of(cut);
      context.progress(work.done / work.all);
    }
    return scores;
  }

  // Counts guesses of a window of `width` tokens; its first `first` predictions were scored before.
  static void count_guesses(Scores& scores, const int64_t* ids, const int64_t* guesses, int64_t first, int64_t width) {
    std::unordered_set<int64_t> before;
    for (int64_t t = 0; t < width; ++t) {
      before.insert(ids[t]);
      if (t < first) continue;
      const bool right = guesses[t] == ids[t + 1], repeats = before.count(guesses[t]) > 0;
      scores.right += right ? 1 : 0;
      scores.repeats += repeats ? 1 : 0;
      scores.wrong_repeats += repeats && !right ? 1 : 0;
    }
  }

  static assay::Batch batch_of(const Stream& stream, int64_t begin, int64_t rows, int64_t width, int64_t stride) {
    assay::Batch batch;
    batch.tokens = at::empty({rows, width}, at::kLong);
    batch.targets = at::empty({rows, width}, at::kLong);
    for (int64_t row = 0; row < rows; ++row) {
      const auto* from = stream.ids.data() + begin + row * stride;
      std::copy_n(from, width, batch.tokens.data_ptr<int64_t>() + row * width);
      std::copy_n(from + 1, width, batch.targets.data_ptr<int64_t>() + row * width);
    }
    return batch;
  }

  void report(assay::EvaluationContext& context, const Stream& stream, const Cut& cut, const Scores& scores,
              bool available) const {
    const double total = std::accumulate(scores.nats.begin(), scores.nats.end(), 0.0);
    const auto tokens = static_cast<double>(stream.predictions()), bytes = static_cast<double>(stream.bytes);
    const auto note = stream.predictions() < cut.length ? no_window(stream.predictions()) : "";
    const auto add = [&](const char* name, double sum, double weight, const char* unit, Direction direction) {
      context.metric({name, sum, weight, unit, direction, cut.coordinates, available, note});
    };
    add("nll", total, tokens, "nats/token", Direction::kLower);
    add("perplexity", std::exp(total / tokens), 1, "", Direction::kLower);
    add("bits_per_byte", total / std::log(2.0), bytes, "bits/byte", Direction::kLower);
    add("tokens", tokens, 1, "tokens", Direction::kNone);
    if (!config_.accuracy) return;
    const auto share = [&](const char* name, int64_t count, Direction direction) {
      add(name, static_cast<double>(count), tokens, "", direction);
    };
    share("accuracy", scores.right, Direction::kHigher);
    share("rep", scores.repeats, Direction::kNone);
    share("wrep", scores.wrong_repeats, Direction::kLower);
  }

  // The metric's name in tables: "nll@length=64,stride=16".
  static std::string name_of_nll(const Cut& cut) {
    std::string name = "nll";
    for (const auto& [coordinate, value] : cut.coordinates)
      name += (name == "nll" ? "@" : ",") + coordinate + "=" + std::to_string(static_cast<int64_t>(value));
    return name;
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("lm", "1.2.0", assay::component<LanguageModel>("lm"))
