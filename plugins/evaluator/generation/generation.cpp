// Open-ended generation: continuations of held-out prompts by a decoder, their repetition, length and likelihood under
// another run, beside those of the human text that follows the prompts. Su et al. 2022, arXiv:2202.06417, sec. 4.1. The
// nll under another model should be near that of human text and not as low as possible: Holtzman et al. 2020,
// arXiv:1904.09751, sec. 4.1.
#include <ATen/ops/full.h>

#include <algorithm>
#include <map>

#include "../blocks.h"
#include "../work.h"
#include "assay/plugin.h"
#include "repetition.h"

namespace {

using assay::Continuation;
using assay::Direction;
using assay::repetition::Counting;
using assay::repetition::Repetition;
using assay::repetition::Text;
using Ids = std::vector<int32_t>;

// Counts over all continuations, or over all human ones.
struct Counted {
  Repetition all, reference{.counting = Counting::kReference};
  std::map<int64_t, std::set<Text>> different;  // over all texts, by n
  std::map<int64_t, int64_t> ngrams;
  double judged_nats = 0, judged_tokens = 0;
  static constexpr int64_t kDifferent = 3;  // the longest n-grams of `different`

  void add(const Text& text) {
    all.add(text);
    reference.add(text);
    for (int64_t n = 1; n <= kDifferent; ++n)
      for (auto& ngram : assay::repetition::ngrams(text, n)) {
        different[n].insert(std::move(ngram));
        ++ngrams[n];
      }
  }
};

class Generation final : public assay::Evaluator {
 public:
  struct Config {
    assay::Child<assay::Decoder> decoder{"greedy"};
    int64_t prompts = 50, prompt_tokens = 32, tokens = 128;
    std::string unit = "words";
    assay::RunReference judge;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Generates continuations of held-out prompts and reports their rep-n, diversity, distinct-n and "
            "nll under another run, beside those of the human continuations, and their length and nll under "
            "the model itself.")
        .paper("arXiv:2202.06417")
        .param("decoder", &Config::decoder, "Decoder of the continuations.")
        .param("prompts", &Config::prompts, "Number of prompts, evenly spaced in the split.", 1)
        .param("prompt_tokens", &Config::prompt_tokens, "Tokens per prompt.", 1)
        .param("tokens", &Config::tokens,
               "Maximum number of new tokens, and number of tokens of the human continuations.", 1)
        .param("unit", &Config::unit, "Unit of n-grams.", {"words", "tokens"})
        .param("judge", &Config::judge,
               "Another run under whose model the nll of continuations is measured; none: not measured.");
  }
  explicit Generation(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (!config_.decoder) findings.push_back("has no decoder; give one, for instance \"greedy\"");
    if (!assembly.model->causal())
      findings.push_back("continues text from left to right, and this model is bidirectional; use a causal model");
    const auto lookahead = config_.decoder ? config_.decoder->lookahead() : 0;
    if (const auto limit = assembly.model->limit();
        limit && config_.prompt_tokens + config_.tokens + lookahead > *limit)
      findings.push_back("prompts of " + std::to_string(config_.prompt_tokens) + " and " +
                         std::to_string(config_.tokens) + " new tokens" + (lookahead > 0 ? " with candidates" : "") +
                         " exceed the model's limit of " + std::to_string(*limit) + " positions; use fewer tokens");
    return findings;
  }

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    return assay::evaluation::findings_of_blocks(check, config_.prompt_tokens + config_.tokens);
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly&) const override {
    std::vector<assay::Metric> metrics;
    const auto name = [&](const std::string& one) { metrics.push_back({.name = one}); };
    for (const auto* one : {"length", "ended", "nll", "prompts"}) name(one);
    for (const std::string prefix : {"", "human_"}) {
      for (const std::string end : {"", "_reference"}) {
        for (int64_t n = Repetition::kFrom; n <= Repetition::kTo; ++n) name(prefix + "rep_" + std::to_string(n) + end);
        name(prefix + "diversity" + end);
      }
      for (int64_t n = 1; n <= Counted::kDifferent; ++n) name(prefix + "distinct_" + std::to_string(n));
      if (has_judge()) name(prefix + "judge_nll");
    }
    return metrics;
  }

  void evaluate(assay::EvaluationContext& context) override {
    const auto blocks =
        assay::evaluation::even_blocks(context, config_.prompt_tokens + config_.tokens, config_.prompts);
    const auto& tokenizer = context.vocabulary().tokenizer();
    Counted machine, human;
    double length = 0, ended = 0, nats = 0, scored = 0;
    // A judge reads every prompt twice: with the continuation and with the human text.
    assay::evaluation::Work work(context, static_cast<double>(blocks.size()) * piece() * (has_judge() ? 3 : 1));
    const auto continuations = continuations_of(context, blocks, work);
    std::vector<assay::ExampleRow> rows;
    std::vector<std::string> prompts, texts, human_texts;
    for (size_t i = 0; i < blocks.size(); ++i) {
      const auto split = blocks[i].ids.begin() + config_.prompt_tokens;
      const Ids follows(split, blocks[i].ids.end());
      const auto& made = continuations[i];
      const Ids made_ids(made.ids.begin(), made.ids.end());
      prompts.push_back(tokenizer.decode(Ids(blocks[i].ids.begin(), split)));
      texts.push_back(made.text);
      human_texts.push_back(tokenizer.decode(follows));
      const auto units = units_of(made_ids, made.text);
      machine.add(units);
      human.add(units_of(follows, human_texts.back()));
      const auto tokens = static_cast<double>(made.ids.size());
      length += tokens;
      ended += made.ended ? 1 : 0;
      nats -= made.log_prob;
      const double own_scored = tokens + (made.ended ? 1 : 0);
      scored += own_scored;
      // Sums and weights, so that those of all examples add up to the metric's.
      assay::ExampleRow row{blocks[i].id, {{"length", tokens}, {"nll", -made.log_prob}, {"scored", own_scored}}, {}};
      Repetition own;
      own.add(units);
      for (int64_t n = Repetition::kFrom; n <= Repetition::kTo; ++n) {
        const auto& [all, different] = own.of(n);
        row.numbers["rep_" + std::to_string(n)] = 100.0 * static_cast<double>(all - different);
        row.numbers["ngrams_" + std::to_string(n)] = static_cast<double>(all);
      }
      row.texts = {{"prompt", prompts.back()}, {"continuation", made.text}, {"human", human_texts.back()}};
      rows.push_back(std::move(row));
    }
    if (has_judge()) {
      auto& judge = context.other(config_.judge);
      if (!judge.model().causal())
        throw assay::UserError(
            "the judge's model is bidirectional and would see what it is to predict; name another run");
      judge_texts(judge, context, prompts, texts, "judge", machine, rows, work);
      judge_texts(judge, context, prompts, human_texts, "human_judge", human, rows, work);
    }
    report(context, machine, "");
    report(context, human, "human_");
    const auto count = static_cast<double>(blocks.size());
    context.metric({"length", length, count, "tokens", Direction::kNone, {}});
    context.metric({"ended", ended, count, "", Direction::kNone, {}});
    context.metric({"nll", nats, std::max(scored, 1.0), "nats/token", Direction::kNone, {}, scored > 0});
    context.metric({"prompts", count, 1, "", Direction::kNone, {}});
    for (const auto& row : rows) context.example(row);
  }

 private:
  bool has_judge() const { return !config_.judge.folder.empty(); }
  // Tokens of a prompt and its continuation.
  double piece() const { return static_cast<double>(config_.prompt_tokens + config_.tokens); }

  Text units_of(const Ids& ids, const std::string& text) const {
    if (config_.unit == "words") return assay::repetition::words(text);
    Text units;
    for (const auto id : ids) units.push_back(std::to_string(id));
    return units;
  }

  std::vector<Continuation> continuations_of(assay::EvaluationContext& context,
                                             const std::vector<assay::evaluation::Block>& blocks,
                                             assay::evaluation::Work& work) const {
    const auto length = config_.prompt_tokens + config_.tokens;
    const auto at_once = static_cast<size_t>(std::max<int64_t>(context.tokens_per_forward() / length, 1));
    std::vector<Continuation> all;
    for (size_t begin = 0; begin < blocks.size(); begin += at_once) {
      std::vector<assay::Prompt> prompts;
      for (size_t i = begin; i < std::min(begin + at_once, blocks.size()); ++i)
        prompts.push_back({{blocks[i].ids.begin(), blocks[i].ids.begin() + config_.prompt_tokens}, {}});
      const double part = static_cast<double>(prompts.size()) * piece();
      for (auto& one : work.decode(*config_.decoder, prompts, config_.tokens, part)) all.push_back(std::move(one));
    }
    return all;
  }

  // -ln p of the texts after the prompts, in the judge's own tokens; n/a where they exceed the judge's limit.
  void judge_texts(assay::TrainedRun& judge, assay::EvaluationContext& context, const std::vector<std::string>& prompts,
                   const std::vector<std::string>& texts, const std::string& name, Counted& counted,
                   std::vector<assay::ExampleRow>& rows, assay::evaluation::Work& work) const {
    const auto& vocabulary = judge.vocabulary();
    const auto end_of_text = vocabulary.special(assay::kEndOfText);
    struct Sequence {
      Ids ids;
      size_t first;  // index of the text's first token
    };
    std::vector<Sequence> sequences;
    int64_t longest = 1;
    for (size_t i = 0; i < texts.size(); ++i) {
      Sequence sequence{{static_cast<int32_t>(end_of_text)}, 0};
      for (const auto* part : {&prompts[i], &texts[i]}) {
        sequence.first = sequence.ids.size();
        const auto ids = vocabulary.tokenizer().encode(*part);
        sequence.ids.insert(sequence.ids.end(), ids.begin(), ids.end());
      }
      longest = std::max(longest, static_cast<int64_t>(sequence.ids.size()) - 1);
      sequences.push_back(std::move(sequence));
    }
    if (const auto limit = judge.model().limit(); limit && longest > *limit) return;
    const auto at_once = static_cast<size_t>(std::max<int64_t>(context.tokens_per_forward() / longest, 1));
    for (size_t begin = 0; begin < sequences.size(); begin += at_once) {
      const auto count = std::min(at_once, sequences.size() - begin);
      // The model is causal, so padding behind a text does not change it.
      assay::Batch batch;
      batch.tokens = at::full({static_cast<int64_t>(count), longest}, end_of_text, at::kLong);
      batch.targets = batch.tokens.clone();
      for (size_t i = 0; i < count; ++i) {
        const auto& ids = sequences[begin + i].ids;
        const auto row = static_cast<int64_t>(i) * longest;
        std::copy(ids.begin(), ids.end() - 1, batch.tokens.data_ptr<int64_t>() + row);
        std::copy(ids.begin() + 1, ids.end(), batch.targets.data_ptr<int64_t>() + row);
      }
      const auto nll_RT = judge.forward(batch).token_nll().to(at::kCPU, at::kDouble).contiguous();
      for (size_t i = 0; i < count; ++i) {
        const auto& [ids, first] = sequences[begin + i];
        double nats = 0;
        for (size_t t = first; t < ids.size(); ++t)
          nats += nll_RT.const_data_ptr<double>()[static_cast<int64_t>(i) * longest + static_cast<int64_t>(t) - 1];
        const auto tokens = static_cast<double>(ids.size() - first);
        counted.judged_nats += nats;
        counted.judged_tokens += tokens;
        rows[begin + i].numbers[name + "_nll"] = nats;
        rows[begin + i].numbers[name + "_tokens"] = tokens;
      }
      work.add(static_cast<double>(count) * piece());
    }
  }

  void report(assay::EvaluationContext& context, const Counted& counted, const std::string& prefix) const {
    for (const auto* repetition : {&counted.all, &counted.reference}) {
      const std::string end = repetition->counting == Counting::kReference ? "_reference" : "";
      bool available = true;
      for (int64_t n = Repetition::kFrom; n <= Repetition::kTo; ++n) {
        const auto& [all, different] = repetition->of(n);
        available = available && all > 0;
        context.metric({prefix + "rep_" + std::to_string(n) + end,
                        100.0 * static_cast<double>(all - different),
                        static_cast<double>(std::max<int64_t>(all, 1)),
                        "%",
                        Direction::kNone,
                        {},
                        all > 0});
      }
      context.metric({prefix + "diversity" + end,
                      available ? repetition->diversity() : 0,
                      1,
                      "",
                      Direction::kNone,
                      {},
                      available});
    }
    for (int64_t n = 1; n <= Counted::kDifferent; ++n) {
      const auto found = counted.ngrams.find(n);  // absent where every text has fewer units
      const bool available = found != counted.ngrams.end();
      context.metric({prefix + "distinct_" + std::to_string(n),
                      available ? static_cast<double>(counted.different.at(n).size()) : 0,
                      available ? static_cast<double>(found->second) : 1,
                      "",
                      Direction::kNone,
                      {},
                      available});
    }
    if (has_judge())
      context.metric({prefix + "judge_nll",
                      counted.judged_nats,
                      std::max(counted.judged_tokens, 1.0),
                      "nats/token",
                      Direction::kNone,
                      {},
                      counted.judged_tokens > 0});
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("generation", "1.0.0", assay::component<Generation>("generation"))
