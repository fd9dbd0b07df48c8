// Language-model evaluation on non-overlapping blocks, at any lengths. Press, Smith, Lewis 2022, arXiv:2108.12409,
// sec. 2.2: the stream is cut into blocks of L tokens, each is evaluated alone, and every position counts.
#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>

#include <algorithm>
#include <cmath>

#include "assay/evaluator.h"
#include "assay/plugin.h"
#include "assay/tokenizer.h"

namespace {

using assay::Direction;

// end of text, document, end of text, document, end of text, ...: all but the first token are predicted, so that every
// byte is scored once, and so is the end of every document.
struct Stream {
  std::vector<int64_t> ids;
  int64_t bytes = 0;  // of text among the predicted tokens
  int64_t predictions() const { return static_cast<int64_t>(ids.size()) - 1; }
};

class LanguageModel final : public assay::Evaluator {
 public:
  struct Config {
    std::vector<int64_t> lengths;
    int64_t max_tokens = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Next-token likelihood on non-overlapping blocks: nats a token, perplexity, bits a byte (all nats, ends of "
            "documents included, over ln 2 times the bytes of text).")
        .paper("arXiv:2108.12409")
        .param("lengths", &Config::lengths, "Block lengths in tokens; empty: the training context alone.", 1)
        .param("max_tokens", &Config::max_tokens, "Scores only this many tokens from the start of the split; 0: all.",
               0);
  }
  explicit LanguageModel(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    if (assembly.model->causal()) return {};
    return {"scores the next token, which a bidirectional model sees; use a causal model or another evaluator"};
  }

  void evaluate(assay::EvaluationContext& context) override {
    const auto stream = read(context);
    const auto lengths = config_.lengths.empty() ? std::vector<int64_t>{context.training_context()} : config_.lengths;
    for (const int64_t length : lengths) {
      const auto limit = context.model().limit();
      const bool available = !limit || *limit >= length;
      report(context, stream, length, available ? total_nats(context, stream, length) : 0.0, available);
    }
  }

 private:
  Stream read(assay::EvaluationContext& context) const {
    const int64_t end_of_text = context.vocabulary().special(assay::kEndOfText);
    const auto& tokenizer = context.vocabulary().tokenizer();
    Stream stream{{end_of_text}};
    const auto room = [&] { return config_.max_tokens == 0 ? INT64_MAX : config_.max_tokens - stream.predictions(); };
    for (int64_t i = 0; i < context.dataset().size(context.split()) && room() > 0; ++i) {
      const auto text = context.dataset().document(context.split(), i).text;
      auto ids = tokenizer.encode(text);
      const bool whole = static_cast<int64_t>(ids.size()) <= room();
      if (!whole) ids.resize(static_cast<size_t>(room()));
      stream.bytes += static_cast<int64_t>(whole ? text.size() : tokenizer.decode(ids).size());
      stream.ids.insert(stream.ids.end(), ids.begin(), ids.end());
      if (room() > 0) stream.ids.push_back(end_of_text);
    }
    if (stream.bytes == 0)
      throw assay::UserError(std::string("lm: the split '") + assay::name_of(context.split()) +
                             "' holds no text to score");
    return stream;
  }

  // Whole blocks in batches, then the last partial block by itself. Sums in fp64, in the order of the stream.
  static double total_nats(assay::EvaluationContext& context, const Stream& stream, int64_t length) {
    const int64_t end = stream.predictions(), blocks = end / length;
    const int64_t rows_at_once = std::max<int64_t>(context.tokens_per_forward() / length, 1);
    double total = 0;
    for (int64_t block = 0; block < blocks; block += rows_at_once)
      total += nats(context, stream, block * length, std::min(rows_at_once, blocks - block), length);
    if (end % length != 0) total += nats(context, stream, blocks * length, 1, end % length);
    return total;
  }

  static double nats(assay::EvaluationContext& context, const Stream& stream, int64_t begin, int64_t rows,
                     int64_t length) {
    assay::Batch batch;
    batch.tokens = at::empty({rows, length}, at::kLong);
    batch.targets = at::empty({rows, length}, at::kLong);
    std::copy_n(stream.ids.data() + begin, rows * length, batch.tokens.data_ptr<int64_t>());
    std::copy_n(stream.ids.data() + begin + 1, rows * length, batch.targets.data_ptr<int64_t>());
    return at::sum(context.forward(batch).token_nll(), at::kDouble).item<double>();
  }

  static void report(assay::EvaluationContext& context, const Stream& stream, int64_t length, double total,
                     bool available) {
    const auto tokens = static_cast<double>(stream.predictions());
    const std::map<std::string, double> at{{"length", static_cast<double>(length)}};
    const auto bytes = static_cast<double>(stream.bytes);
    context.metric({"nll", total, tokens, "nats/token", Direction::kLower, at, available});
    context.metric({"perplexity", std::exp(total / tokens), 1, "", Direction::kLower, at, available});
    context.metric({"bits_per_byte", total / std::log(2.0), bytes, "bits/byte", Direction::kLower, at, available});
    context.metric({"tokens", tokens, 1, "tokens", Direction::kNone, at, available});
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("lm", "1.0.0", assay::component<LanguageModel>("lm"))
