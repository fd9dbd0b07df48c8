// What a model makes of holes in text, on the same pieces and cuts whatever the run and however it was trained: losses
// of the middle given the prefix alone and given both sides in each layout, beside the loss of the text as it stands;
// and holes of a few characters filled in greedily, or by another decoder. Bavarian et al. 2022, arXiv:2207.14255, sec.
// 4.2 (losses), 2.3 (sampling until the end of text).
#include <ATen/ops/full.h>

#include <algorithm>
#include <map>
#include <optional>

#include "../../shared/fim_cuts.h"
#include "../../shared/fim_layout.h"
#include "../blocks.h"
#include "../work.h"
#include "assay/plugin.h"

namespace {

using assay::Direction;
using assay::Part;
using assay::fim::Ids;
using assay::fim::Laid;
using assay::fim::Layout;

// A text in three, as it is and as tokens.
struct Holed {
  std::string prefix, middle, suffix;
  assay::fim::Parts ids;
};

// A row of a batch: a sequence behind an end of text, and which of its tokens are scored.
struct Row {
  Laid laid;
  size_t from = 0, to = 0;  // the middle, among the laid tokens
};

struct Scored {
  double all = 0, middle = 0;  // -ln p of all text, without the sentinels, and of the middle
};

class FimEvaluator final : public assay::Evaluator {
 public:
  struct Config {
    int64_t pieces = 200, length = 96, short_middle = 8, tokens = 24, seed = 1;
    std::vector<std::string> layouts{"psm", "spm_v2"};
    std::string cut_before;
    assay::Child<assay::Decoder> decoder{"greedy"};
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Fills in the middle of pieces of held-out text: its loss given the prefix, and given both sides in each "
            "layout; exact matches of short middles; whether they end.")
        .paper("arXiv:2207.14255")
        .param("pieces", &Config::pieces, "How many, at even distances in the split.", 1)
        .param("length", &Config::length,
               "Tokens of a piece; a sequence is longer by the three sentinels and the end of text.", 2)
        .param("short_middle", &Config::short_middle, "The holes that are filled in are of 1 to so many characters.", 1)
        .param("tokens", &Config::tokens, "At most so many new tokens for one of these.", 1)
        .param("seed", &Config::seed, "Of the cuts, which are the same for all runs.", 0)
        .param("layouts", &Config::layouts, "In which layouts the model is asked.", {"psm", "spm_v1", "spm_v2"})
        .param("cut_before", &Config::cut_before,
               "Both cuts fall before the first place where this stands in a piece, and a piece without it is not "
               "used; empty: anywhere.")
        .param("decoder", &Config::decoder, "How the tokens of a short middle are chosen.");
  }
  explicit FimEvaluator(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (!config_.decoder) findings.push_back("has no decoder; give one, for instance \"greedy\"");
    if (config_.layouts.empty()) findings.push_back("has no layouts; give one or more of psm, spm_v1, spm_v2");
    if (!assembly.model->causal())
      findings.push_back("writes middles from left to right, and this model is bidirectional; use a causal model");
    if (const auto limit = assembly.model->limit(); limit && config_.length + 4 + config_.tokens > *limit)
      findings.push_back("pieces of " + std::to_string(config_.length) + " tokens with sentinels and " +
                         std::to_string(config_.tokens) + " new tokens are more than the model's limit of " +
                         std::to_string(*limit) + " positions; ask for fewer");
    return findings;
  }

  // The transform's: a run without it, or with it at a rate of 0 where nothing is to be changed, has no such tokens.
  void special_tokens(assay::SpecialTokens& tokens) const override { assay::fim::declare_sentinels(tokens); }
  void bind(const assay::Vocabulary& vocabulary) override {
    vocabulary_ = &vocabulary;
    sentinels_ = assay::fim::Sentinels::of(vocabulary);
  }

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    return assay::evaluation::findings_of_blocks(check, config_.length);
  }

  std::vector<assay::Metric> planned_metrics(const assay::Assembly&) const override {
    std::vector<assay::Metric> metrics;
    const auto name = [&](const std::string& one) { metrics.push_back({.name = one}); };
    for (const auto* one : {"pieces", "split_seams", "ar_nll", "middle_nll_prefix", "middle_nll_prefix_split"})
      name(one);
    for (const auto& layout : config_.layouts) {
      for (const auto* before : {"fim_nll_", "middle_nll_", "exact_match_", "ended_"}) name(before + layout);
      name("middle_nll_" + layout + "_split");
    }
    return metrics;
  }

  void evaluate(assay::EvaluationContext& context) override {
    const auto texts = texts_of(context);
    const auto layouts = static_cast<double>(config_.layouts.size());
    assay::evaluation::Work work(
        context, static_cast<double>(texts.size()) * ((1 + layouts) * scored_tokens() + layouts * filling_tokens()));
    std::vector<Holed> holed, short_holed;
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto draws = assay::Draws(static_cast<uint64_t>(config_.seed), "fim").substream(i);
      holed.push_back(two_cuts(texts[i].second, draws.substream(0)));
      short_holed.push_back(short_hole(texts[i].second, draws.substream(1)));
    }
    rows_.clear();
    for (const auto& [id, text] : texts) rows_.push_back({id, {}, {}});
    losses(context, holed, work);
    for (const auto& name : config_.layouts) fillings(context, name, short_holed, work);
    context.metric({"pieces", static_cast<double>(texts.size()), 1, "", Direction::kNone, {}});
    for (const auto& row : rows_) context.example(row);
  }

 private:
  // A piece with its sentinels and the end of text; with these and what is written, too.
  double scored_tokens() const { return static_cast<double>(config_.length + 4); }
  double filling_tokens() const { return static_cast<double>(config_.length + 4 + config_.tokens); }

  // Pieces with their ids, whole characters only.
  std::vector<std::pair<std::string, std::string>> texts_of(assay::EvaluationContext& context) const {
    std::vector<std::pair<std::string, std::string>> texts;
    for (const auto& block : assay::evaluation::even_blocks(context, config_.length, config_.pieces)) {
      auto text = vocabulary_->tokenizer().decode(block.ids);
      text.erase(0, assay::fim::fragment_in_front(text));
      text.erase(text.size() - assay::fim::fragment_behind(text));
      if (!text.empty() && !assay::fim::cut_places(text, config_.cut_before).empty())
        texts.emplace_back(block.id, text);
    }
    if (texts.empty())
      throw assay::UserError("no piece of " + std::to_string(config_.length) + " tokens holds '" + config_.cut_before +
                             "'; look for something else in cut_before, or in longer pieces");
    return texts;
  }

  Holed holed_at(const std::string& text, size_t first, size_t second) const {
    Holed out{text.substr(0, first), text.substr(first, second - first), text.substr(second), {}};
    const auto& tokenizer = vocabulary_->tokenizer();
    out.ids = {tokenizer.encode(out.prefix), tokenizer.encode(out.middle), tokenizer.encode(out.suffix)};
    return out;
  }

  // As the transform cuts.
  Holed two_cuts(const std::string& text, const assay::Draws& draws) const {
    const auto places = assay::fim::cut_places(text, config_.cut_before);
    const auto [first, second] = assay::fim::draw_cuts(places.size(), true, draws);
    return holed_at(text, places[first], places[second]);
  }

  Holed short_hole(const std::string& text, const assay::Draws& draws) const {
    const auto places = assay::fim::cut_places(text, config_.cut_before);
    const auto characters = places.size() - 1;
    const auto most = std::min(static_cast<size_t>(config_.short_middle), characters);
    const auto size = most == 0 ? 0 : 1 + draws.below(most, 0);
    const auto first = draws.below(characters - size + 1, 1);
    return holed_at(text, places[first], places[first + size]);
  }

  Row row_of(const Holed& holed, std::optional<Layout> layout) const {
    Row row;
    if (layout) {
      row.laid = assay::fim::lay_out(*layout, holed.ids, sentinels_);
      row.to = row.laid.tokens.size();
    } else {
      row.laid.tokens = holed.ids.prefix;
      for (const auto* part : {&holed.ids.middle, &holed.ids.suffix})
        row.laid.tokens.insert(row.laid.tokens.end(), part->begin(), part->end());
      row.laid.part.resize(row.laid.tokens.size(), Part::kWhole);
      row.to = holed.ids.prefix.size() + holed.ids.middle.size();
    }
    row.from = row.to - holed.ids.middle.size();
    return row;
  }

  std::vector<Scored> scored(assay::EvaluationContext& context, const std::vector<Row>& rows,
                             assay::evaluation::Work& work) const {
    size_t longest = 1;
    for (const auto& row : rows) longest = std::max(longest, row.laid.tokens.size());
    const auto at_once = std::max<size_t>(static_cast<size_t>(context.tokens_per_forward()) / longest, 1);
    const auto end_of_text = vocabulary_->special(assay::kEndOfText);
    std::vector<Scored> out;
    for (size_t begin = 0; begin < rows.size(); begin += at_once) {
      const auto B = static_cast<int64_t>(std::min(at_once, rows.size() - begin)), T = static_cast<int64_t>(longest);
      assay::Batch batch;
      const auto ids = at::TensorOptions().dtype(at::kLong);
      batch.tokens = at::full({B, T}, end_of_text, ids);
      batch.targets = at::full({B, T}, end_of_text, ids);
      batch.segment = at::full({B, T}, 0, ids);
      for (int64_t b = 0; b < B; ++b) {
        const auto& laid = rows[begin + static_cast<size_t>(b)].laid;
        for (size_t i = 0; i < laid.tokens.size(); ++i) {
          const auto at = b * T + static_cast<int64_t>(i);
          batch.targets.data_ptr<int64_t>()[at] = laid.tokens[i];
          if (i + 1 == laid.tokens.size()) continue;  // its own input, one further, is padding
          batch.tokens.data_ptr<int64_t>()[at + 1] = laid.tokens[i];
          batch.segment.data_ptr<int64_t>()[at + 1] = assay::segment_of(1, laid.part[i]);
        }
      }
      const auto nll = context.forward(batch).token_nll().to(at::kCPU, at::kDouble).contiguous();
      for (int64_t b = 0; b < B; ++b) {
        const auto& row = rows[begin + static_cast<size_t>(b)];
        Scored sums;
        for (size_t i = 0; i < row.laid.tokens.size(); ++i) {
          const auto value = nll.const_data_ptr<double>()[b * T + static_cast<int64_t>(i)];
          if (!sentinels_.has(row.laid.tokens[i])) sums.all += value;
          if (i >= row.from && i < row.to) sums.middle += value;
        }
        out.push_back(sums);
      }
      work.add(static_cast<double>(B) * scored_tokens());
    }
    return out;
  }

  // Of all texts in one layout, or as they stand.
  std::vector<Scored> scored(assay::EvaluationContext& context, const std::vector<Holed>& holed,
                             std::optional<Layout> layout, assay::evaluation::Work& work) const {
    std::vector<Row> rows;
    for (const auto& one : holed) rows.push_back(row_of(one, layout));
    return scored(context, rows, work);
  }

  void losses(assay::EvaluationContext& context, const std::vector<Holed>& holed, assay::evaluation::Work& work) {
    const auto& tokenizer = vocabulary_->tokenizer();
    double bytes = 0, middle_bytes = 0, split_bytes = 0, split = 0;
    std::vector<bool> splits;
    for (size_t i = 0; i < holed.size(); ++i) {
      const auto& [prefix, middle, suffix, ids] = holed[i];
      const auto joined = [](Ids one, const Ids& other) {
        return one.insert(one.end(), other.begin(), other.end()), one;
      };
      splits.push_back(!middle.empty() && (tokenizer.encode(prefix + middle) != joined(ids.prefix, ids.middle) ||
                                           tokenizer.encode(middle + suffix) != joined(ids.middle, ids.suffix)));
      const auto size = static_cast<double>(middle.size());
      bytes += static_cast<double>(prefix.size() + middle.size() + suffix.size());
      middle_bytes += size;
      split_bytes += splits.back() ? size : 0;
      split += splits.back();
      rows_[i].numbers["middle_bytes"] = size;
    }
    const auto report = [&](const std::string& all, const std::string& of, const std::vector<Scored>& scores) {
      double total = 0, middle = 0, of_split = 0;
      for (size_t i = 0; i < scores.size(); ++i) {
        total += scores[i].all;
        middle += scores[i].middle;
        of_split += splits[i] ? scores[i].middle : 0;
        rows_[i].numbers["middle_nll_" + of] = scores[i].middle;
      }
      const auto nats = [&](const std::string& name, double sum, double weight) {
        context.metric({name, sum, std::max(weight, 1.0), "nats/byte", Direction::kLower, {}, weight > 0});
      };
      nats(all, total, bytes);
      nats("middle_nll_" + of, middle, middle_bytes);
      nats("middle_nll_" + of + "_split", of_split, split_bytes);
    };
    report("ar_nll", "prefix", scored(context, holed, {}, work));
    for (const auto& name : config_.layouts)
      report("fim_nll_" + name, name, scored(context, holed, assay::fim::layout_of(name), work));
    context.metric({"split_seams", split, static_cast<double>(holed.size()), "", Direction::kNone, {}});
  }

  void fillings(assay::EvaluationContext& context, const std::string& name, const std::vector<Holed>& holed,
                assay::evaluation::Work& work) {
    std::vector<assay::Prompt> prompts;
    for (const auto& one : holed) {
      const auto laid = assay::fim::prompt(assay::fim::layout_of(name), one.ids.prefix, one.ids.suffix, sentinels_);
      prompts.push_back({laid.tokens, assay::fim::segments_of(laid, 1)});
    }
    const auto at_once =
        static_cast<size_t>(std::max<int64_t>(context.tokens_per_forward() / (config_.length + 4 + config_.tokens), 1));
    double matches = 0, ended = 0;
    for (size_t begin = 0; begin < prompts.size(); begin += at_once) {
      const auto end = std::min(begin + at_once, prompts.size());
      const std::vector<assay::Prompt> some(prompts.begin() + static_cast<std::ptrdiff_t>(begin),
                                            prompts.begin() + static_cast<std::ptrdiff_t>(end));
      const auto written =
          work.decode(*config_.decoder, some, config_.tokens, static_cast<double>(some.size()) * filling_tokens());
      for (size_t i = begin; i < end; ++i) {
        const auto& made = written[i - begin];
        const bool match = made.ended && made.text == holed[i].middle;
        matches += match;
        ended += made.ended;
        auto& row = rows_[i];
        row.numbers["exact_match_" + name] = match;
        row.numbers["ended_" + name] = made.ended;
        row.texts["prefix"] = holed[i].prefix;
        row.texts["middle"] = holed[i].middle;
        row.texts["suffix"] = holed[i].suffix;
        row.texts["written_" + name] = made.text;
      }
    }
    const auto count = static_cast<double>(holed.size());
    context.metric({"exact_match_" + name, matches, count, "", Direction::kHigher, {}});
    context.metric({"ended_" + name, ended, count, "", Direction::kHigher, {}});
  }

  Config config_;
  const assay::Vocabulary* vocabulary_ = nullptr;
  assay::fim::Sentinels sentinels_;
  std::vector<assay::ExampleRow> rows_;  // of the evaluation that is going on
};

}  // namespace

ASSAY_PLUGIN("fim_evaluator", "1.0.0", assay::component<FimEvaluator>("fim"))
