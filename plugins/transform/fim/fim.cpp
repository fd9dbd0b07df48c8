// Fill-in-the-middle: a share of the texts is cut in three and put in another order, so that a left-to-right model
// learns to infill the middle between a prefix and a suffix. Bavarian et al. 2022, arXiv:2207.14255, sec. 3 (document
// level, PSM and SPM), 4.4 (context level), app. D (SPM's variants). shared/fim_layout.h has the orders,
// shared/fim_cuts.h the places to cut.
// As in the paper, the two cuts are drawn uniformly from all places, so parts may be empty. Unlike in the public
// implementations, an empty text keeps its end of text, padding is never a target, and draws are keyed by sample and
// segment, so that they depend neither on worker counts nor on the mesh or on resuming.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "../../shared/fim_cuts.h"
#include "../../shared/fim_layout.h"
#include "assay/plugin.h"
#include "assay/tokenizer.h"
#include "assay/transform.h"

namespace {

using assay::Part;
using assay::Sample;
using assay::Stage;
using assay::fim::Ids;
using assay::fim::Laid;
using assay::fim::Layout;

class Fim final : public assay::Transform {
 public:
  struct Config {
    double rate = 0.5, spm_rate = 0.5;
    std::string spm = "spm_v2", stage = "context", cut = "character", cut_before;
    bool empty_parts = true, sentinel_loss = true;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Fill-in-the-middle: rearranges texts as prefix, suffix, middle (PSM) or suffix, prefix, middle "
            "(SPM), with sentinel tokens that no text can encode to.")
        .paper("arXiv:2207.14255")
        .param("rate", &Config::rate, "Share of the texts to rearrange. The paper recommends 0.5 to 0.9.", 0, 1)
        .param("spm_rate", &Config::spm_rate,
               "Share of the rearranged texts in SPM; 0.5 is the paper's joint training.", 0, 1)
        .param("spm", &Config::spm,
               "Layout of SPM. spm_v2: <PRE> <SUF> suffix <MID> prefix middle, the paper's. spm_v1: <SUF> suffix "
               "<PRE> prefix <MID> middle.",
               {"spm_v2", "spm_v1"})
        .param("stage", &Config::stage,
               "context: the texts are the pieces of a training sequence between ends of text, and a sequence "
               "that grows too long is truncated at its end. Weights and padding of an earlier transform stay "
               "with their tokens; a sentinel gets the largest weight of its piece. document: the texts are "
               "whole documents, before they are packed.",
               {"context", "document"})
        .param("cut", &Config::cut,
               "Units between which a text may be cut. character: Unicode code points; pieces of a sequence are "
               "decoded and encoded again, without the bytes of a character that the sequence's edge truncates; "
               "a piece with padding or tokens of different weights stays as it is. token: tokens.",
               {"character", "token"})
        .param("cut_before", &Config::cut_before,
               "Both cuts fall before the first occurrence of this string, and a text without it stays as it is; "
               "empty: anywhere. Only with cut = \"character\".")
        .param("empty_parts", &Config::empty_parts,
               "Whether parts may be empty; if not, a text of fewer than three units stays as it is.")
        .param("sentinel_loss", &Config::sentinel_loss,
               "Whether the sentinels are targets of the loss. The end of text always is, padding never.");
  }
  explicit Fim(const Config& config) : config_(config), spm_(assay::fim::layout_of(config.spm)) {}

  std::vector<std::string> validate(const assay::Assembly&) const override {
    if (config_.cut_before.empty() || config_.cut == "character") return {};
    return {"cut_before is searched for in text; it needs cut = \"character\""};
  }

  void special_tokens(assay::SpecialTokens& tokens) const override { assay::fim::declare_sentinels(tokens); }
  void bind(const assay::Vocabulary& vocabulary) override {
    tokenizer_ = &vocabulary.tokenizer();
    sentinels_ = assay::fim::Sentinels::of(vocabulary);
    end_of_text_ = static_cast<int32_t>(vocabulary.special(assay::kEndOfText));
    for (const auto& [name, id] : vocabulary.special()) special_.insert(static_cast<int32_t>(id));
  }

  Stage stage() const override { return config_.stage == "document" ? Stage::kDocument : Stage::kContext; }
  bool keeps_text() const override { return stage() == Stage::kDocument; }
  const char* rate_parameter() const override { return "rate"; }

  void apply(Sample& sample, const assay::Draws& draws) const override {
    if (stage() == Stage::kDocument) {
      if (!sample.tokens.empty()) return;  // another transform has tokenized it
      if (const auto laid = config_.cut == "token"
                                ? rearranged_tokens(tokenizer_->encode(sample.text), draws.substream(0))
                                : rearranged_text(sample.text, draws.substream(0)))
        Output(*this, sample).append(*laid, 0, Marks()).finish(laid->tokens.size());
    } else {
      apply_to_context(sample, draws);
    }
  }

  // Statistics of the texts of a training sequence: of the texts that are not empty, the share with all three sentinels
  // (effective_rate); of the rearranged ones, the share whose middle the sequence's end truncates (truncated_middles);
  // of those with three sentinels, the number of tokens after each, up to the sequence's end. In spm_v2 no token
  // follows <PRE>, and prefix and middle follow <MID>.
  void observe(const Sample& context) const override {
    const auto& tokens = context.tokens;
    const auto stop = std::find(tokens.begin(), tokens.end(), sentinels_.pad);
    double texts = 0, rearranged = 0, effective = 0, truncated = 0;
    for (auto begin = tokens.begin(); begin != stop;) {
      const auto end = std::find(begin, stop, end_of_text_);
      std::array<double, 3> length{};  // by part, without the sentinels
      std::array<bool, 3> opened{};
      int part = -1;
      for (auto token = begin; token != end; ++token) {
        const int opens = *token == sentinels_.prefix   ? 0
                          : *token == sentinels_.middle ? 1
                          : *token == sentinels_.suffix ? 2
                                                        : -1;
        if (opens >= 0)
          opened[static_cast<size_t>(part = opens)] = true;
        else if (part >= 0)
          ++length[static_cast<size_t>(part)];
      }
      const bool any = opened[0] || opened[1] || opened[2], all = opened[0] && opened[1] && opened[2];
      texts += begin != end;
      rearranged += any;
      effective += all;
      truncated += any && end == stop;
      if (all)
        for (size_t p = 0; p < 3; ++p) log(std::array{"prefix_tokens", "middle_tokens", "suffix_tokens"}[p], length[p]);
      begin = end == stop ? end : end + 1;
    }
    if (texts > 0) log("effective_rate", effective, texts);
    if (rearranged > 0) log("truncated_middles", truncated, rearranged);
    log("pad_fraction", static_cast<double>(tokens.end() - stop), static_cast<double>(tokens.size()));
  }

  std::optional<Sample> infill_prompt(const std::string& prefix, const std::string& suffix,
                                      const std::string& form) const override {
    if (config_.rate == 0) throw assay::UserError("this run was not trained to infill: its transform fim has rate = 0");
    const bool mostly_psm = config_.spm_rate < 0.5;
    const auto layout = form.empty()    ? (mostly_psm ? Layout::kPsm : spm_)
                        : form == "spm" ? spm_
                                        : assay::fim::layout_of(form);
    const auto laid = assay::fim::prompt(layout, tokenizer_->encode(prefix), tokenizer_->encode(suffix), sentinels_);
    Sample sample;
    sample.tokens = laid.tokens;
    sample.segment = assay::fim::segments_of(laid, 1);  // 0 is that of the end of text before it
    return sample;
  }

 private:
  // Weights and key mask of a piece of a sequence, as an earlier transform left them.
  struct Marks {
    std::vector<float> weight;  // empty: all 1
    std::vector<bool> real;     // empty: all true

    static Marks of(const Sample& context, size_t begin, size_t end) {
      const auto cut = [&](const auto& all) {
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(begin);
        return std::decay_t<decltype(all)>(first, first + static_cast<std::ptrdiff_t>(end - begin));
      };
      Marks marks;
      if (!context.loss_weight.empty()) marks.weight = cut(context.loss_weight);
      if (!context.key_mask.empty()) marks.real = cut(context.key_mask);
      return marks;
    }
    float weight_at(size_t i) const { return weight.empty() ? 1 : weight[i]; }
    bool real_at(size_t i) const { return real.empty() || real[i]; }
    bool all_padding() const { return !real.empty() && std::find(real.begin(), real.end(), true) == real.end(); }
    // Whether all tokens are real and of equal weight, so that other tokens of the same text can get the same marks.
    bool uniform() const {
      return std::find(real.begin(), real.end(), false) == real.end() &&
             std::adjacent_find(weight.begin(), weight.end(), std::not_equal_to<>()) == weight.end();
    }
    float largest_weight() const {  // of real tokens
      if (weight.empty()) return 1;
      float largest = 0;
      for (size_t i = 0; i < weight.size(); ++i)
        if (real_at(i)) largest = std::max(largest, weight[i]);
      return largest;
    }
  };

  // Replaces the tokens of a sample, with a weight, a segment and a key mask per token.
  class Output {
   public:
    Output(const Fim& fim, Sample& sample) : fim_(fim), sample_(sample) {
      sample_.tokens.clear(), sample_.loss_weight.clear(), sample_.segment.clear(), sample_.key_mask.clear();
    }
    void add(int32_t token, int64_t document, Part part, float weight = 1, bool real = true) {
      sample_.tokens.push_back(token);
      sample_.segment.push_back(static_cast<int32_t>(assay::segment_of(document, part)));
      sample_.loss_weight.push_back(weight);
      sample_.key_mask.push_back(real);
    }
    // marks: of the text that is laid out; uniform for character cuts, which change its tokens.
    Output& append(const Laid& laid, int64_t document, const Marks& marks) {
      const float of_sentinels = fim_.config_.sentinel_loss ? marks.largest_weight() : 0;
      for (size_t i = 0; i < laid.tokens.size(); ++i) {
        const auto source = static_cast<size_t>(fim_.config_.cut == "token" ? std::max<int64_t>(laid.source[i], 0) : 0);
        if (laid.source[i] < 0)
          add(laid.tokens[i], document, laid.part[i], of_sentinels);
        else
          add(laid.tokens[i], document, laid.part[i], marks.weight_at(source), marks.real_at(source));
      }
      return *this;
    }
    // Truncates to `size`. Weights that are all 1 and a mask that is all true are left out.
    void finish(size_t size) {
      sample_.tokens.resize(size);
      sample_.segment.resize(size);
      auto& weights = sample_.loss_weight;
      weights.resize(size);
      if (std::all_of(weights.begin(), weights.end(), [](float weight) { return weight == 1; })) weights.clear();
      auto& real = sample_.key_mask;
      real.resize(size);
      if (std::find(real.begin(), real.end(), false) == real.end()) real.clear();
    }

   private:
    const Fim& fim_;
    Sample& sample_;
  };

  void apply_to_context(Sample& sample, const assay::Draws& draws) const {
    const Sample given = std::move(sample);
    const auto size = given.tokens.size();
    Output out(*this, sample);
    Part part = Part::kWhole;
    const auto weight_at = [&](size_t t) { return given.loss_weight.empty() ? 1.0F : given.loss_weight[t]; };
    const auto real_at = [&](size_t t) { return given.key_mask.empty() || given.key_mask[t]; };
    const auto part_at = [&](size_t t) {
      return given.segment.empty() ? Part::kWhole : static_cast<Part>(given.segment[t] % assay::kParts);
    };
    bool any = false;
    int64_t piece = 0;
    for (size_t begin = 0; begin < size; ++piece) {
      const auto end = static_cast<size_t>(
          std::find(given.tokens.begin() + static_cast<std::ptrdiff_t>(begin), given.tokens.end(), end_of_text_) -
          given.tokens.begin());
      const auto marks = Marks::of(given, begin, end);
      const auto laid =
          rearranged_piece(given.tokens, begin, end, marks, draws.substream(static_cast<uint64_t>(piece)));
      any = any || laid;
      part = laid ? laid->part.back() : Part::kWhole;
      if (laid) out.append(*laid, piece, marks);
      for (size_t t = begin; t < end && !laid; ++t)
        out.add(given.tokens[t], piece, part = part_at(t), weight_at(t), real_at(t));
      if (end < size) out.add(end_of_text_, piece, part, weight_at(end), real_at(end));
      begin = end + 1;
    }
    if (!any) {
      sample = given;
      return;
    }
    while (sample.tokens.size() < size) out.add(sentinels_.pad, piece - 1, part, /*weight=*/0, /*real=*/false);
    out.finish(size);
  }

  // Rearranges the piece [begin, end) of a sequence; nothing where it stays as it is.
  std::optional<Laid> rearranged_piece(const Ids& tokens, size_t begin, size_t end, const Marks& marks,
                                       const assay::Draws& draws) const {
    if (marks.all_padding() || (config_.cut == "character" && !marks.uniform())) return {};
    const Ids piece(tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                    tokens.begin() + static_cast<std::ptrdiff_t>(end));
    const auto is_special = [&](int32_t id) { return special_.count(id) > 0; };
    if (std::any_of(piece.begin(), piece.end(), is_special)) return {};  // they are another transform's and not text
    if (config_.cut == "token") return rearranged_tokens(piece, draws);
    auto text = tokenizer_->decode(piece);
    if (begin == 0) text.erase(0, assay::fim::fragment_in_front(text));
    if (end == tokens.size()) text.erase(text.size() - assay::fim::fragment_behind(text));
    return rearranged_text(text, draws);
  }

  // Draw 0 decides whether the text is rearranged, 1 and 2 where it is cut, 3 in which layout.
  std::optional<Laid> rearranged_text(const std::string& text, const assay::Draws& draws) const {
    if (text.empty() || draws.uniform(0) >= config_.rate) return {};
    const auto places = assay::fim::cut_places(text, config_.cut_before);
    if (places.empty()) return {};
    const auto cuts = cuts_among(places.size(), draws);
    if (!cuts) return {};
    const auto first = places[cuts->first], second = places[cuts->second];
    return laid_out({tokenizer_->encode(text.substr(0, first)), tokenizer_->encode(text.substr(first, second - first)),
                     tokenizer_->encode(text.substr(second))},
                    draws);
  }

  std::optional<Laid> rearranged_tokens(const Ids& tokens, const assay::Draws& draws) const {
    if (tokens.empty() || draws.uniform(0) >= config_.rate) return {};
    const auto cuts = cuts_among(tokens.size() + 1, draws);
    if (!cuts) return {};
    const auto first = tokens.begin() + static_cast<std::ptrdiff_t>(cuts->first),
               second = tokens.begin() + static_cast<std::ptrdiff_t>(cuts->second);
    return laid_out({{tokens.begin(), first}, {first, second}, {second, tokens.end()}}, draws);
  }

  std::optional<std::pair<size_t, size_t>> cuts_among(size_t places, const assay::Draws& draws) const {
    if (!config_.empty_parts && places < 4) return {};
    return assay::fim::draw_cuts(places, config_.empty_parts, draws);
  }

  Laid laid_out(const assay::fim::Parts& parts, const assay::Draws& draws) const {
    return assay::fim::lay_out(draws.uniform(3) < config_.spm_rate ? spm_ : Layout::kPsm, parts, sentinels_);
  }

  Config config_;
  Layout spm_;
  const assay::Tokenizer* tokenizer_ = nullptr;
  assay::fim::Sentinels sentinels_;
  int32_t end_of_text_ = -1;
  std::set<int32_t> special_;
};

}  // namespace

ASSAY_PLUGIN("fim", "1.0.0", assay::component<Fim>("fim"))
