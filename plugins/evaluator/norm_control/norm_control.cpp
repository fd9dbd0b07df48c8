// What a model writes about held-out situations: whether it has the attributes that were asked for, whether it is about
// the situation, and how near it is to what people wrote. Forbes et al. 2020, arXiv:2011.00620, sec. 5. Attributes are
// read by a checker, where the texts are those of norms_planted, or by a classifier that is another run; beside each
// share are those of two baselines: the attributes that are most frequent in training, and the text for another row.
#include <map>
#include <numeric>
#include <optional>

#include "../../shared/norm_views.h"
#include "../../shared/planted_norms.h"
#include "../rows.h"
#include "../shares.h"
#include "../text_overlap.h"
#include "../work.h"
#include "assay/plugin.h"
#include "classified.h"
#include "control.h"
#include "items.h"

namespace {

namespace norms = assay::norms;
using assay::Continuation;
using assay::Direction;
using assay::Document;
using assay::Metric;
using assay::evaluation::Share;
using assay::norms::Control;
using assay::norms::field;
using assay::norms::Item;
using assay::norms::Majority;
using assay::norms::situation_of;

class NormControl final : public assay::Evaluator {
 public:
  struct Config {
    assay::Child<assay::Decoder> decoder{"greedy"};
    std::string target = "rot", view = "controlled", checker = "none", attribute;
    assay::RunReference classifier;
    std::vector<std::string> classifier_fields{"situation"};
    int64_t documents = 200, tokens = 64, max_text_tokens = 0, classifier_text_tokens = 0;
    bool texts = false;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Lets the model write a rule of thumb (RoT) or an action about held-out situations and reports BLEU-4 and "
            "ROUGE-L against what people wrote, and whether the text has the attributes that were asked for, beside "
            "baselines.")
        .paper("arXiv:2011.00620")
        .param("decoder", &Config::decoder, "Decoder of the texts.")
        .param("target", &Config::target, "What is written.", {"rot", "action"})
        .param("view", &Config::view,
               "What is given: situation and attributes (controlled; or demo, for a model of that view), or the "
               "situation. With model_choice the model also writes attributes, which are compared with the human ones "
               "(choice_f1) and with those of its text (control).",
               {"controlled", "plain", "model_choice", "demo"})
        .param("checker", &Config::checker,
               "planted: attributes and relevance are read from the words of norms_planted; none: they are not read.",
               {"none", "planted"})
        .param("classifier", &Config::classifier,
               "Another run whose classifier reads one attribute from the texts; none: it is not read.")
        .param("attribute", &Config::attribute, "The column that the classifier's classes are values of.")
        .param("classifier_fields", &Config::classifier_fields,
               "Fields that the classifier reads before the text, as in its training.")
        .param("classifier_text_tokens", &Config::classifier_text_tokens,
               "Every text that the classifier reads is cut to this many tokens, as in its training; 0: none is cut.",
               0)
        .param("documents", &Config::documents, "Number of documents, evenly spaced in the split; 0: all.", 0)
        .param("tokens", &Config::tokens, "Maximum number of new tokens.", 1)
        .param("max_text_tokens", &Config::max_text_tokens,
               "Situations are cut to this many tokens, as in training; 0: they are never cut.", 0)
        .param(
            "texts", &Config::texts,
            "Whether the record keeps the texts; rows of the real data may be offensive, so it does not by default.");
  }
  explicit NormControl(const Config& config) : config_(config), maker_(config.target, config.max_text_tokens) {
    if (config_.view == "demo" && config_.target != "rot")
      throw assay::UserError("target: view 'demo' writes a rule of thumb; set target = \"rot\", or another view");
    if (!has_classifier()) return;
    const auto column = norms::column_at(config_.attribute);
    if (column == norms::kColumns || norms::values_of(column).empty())
      throw assay::UserError("attribute: '" + config_.attribute +
                             "' is not a column of the data with a closed set of values; name the one that the "
                             "classifier learns");
    for (const auto& name : config_.classifier_fields)
      if (norms::column_at(name) == norms::kColumns)
        throw assay::UserError("classifier_fields: '" + name + "' is not a column of the data");
  }

  void special_tokens(assay::SpecialTokens& tokens) const override { norms::declare_added_tokens(tokens); }
  void bind(const assay::Vocabulary& vocabulary) override {
    maker_.bind(vocabulary);
    for (const auto column : maker_.attributes()) {
      const auto &words = norms::all_words_of(column), values = norms::values_of(column);
      for (size_t v = 0; v < words.size(); ++v) attribute_tokens_[maker_.token_of(words[v])] = {column, values[v]};
    }
    for (const auto& token : norms::added_tokens())
      added_tokens_.insert(static_cast<int32_t>(vocabulary.special(token)));
  }

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (!config_.decoder) findings.push_back("has no decoder; give one, for instance \"greedy\"");
    if (!assembly.model->causal()) findings.push_back("writes text from left to right; use a causal model");
    if (config_.view == "demo" && assembly.model->has_encoder())
      findings.push_back("view 'demo' asks in the middle of what a model with an encoder predicts; use another view");
    return findings;
  }

  std::vector<Metric> planned_metrics(const assay::Assembly&) const override {
    std::vector<Metric> metrics;
    const auto name = [&](const std::string& one) { metrics.push_back({.name = one}); };
    for (const auto* one : {"bleu", "rouge_l", "length", "ended", "documents"}) name(one);
    const auto control = [&](const std::string& one) {
      for (const auto* end : {"", "_low", "_high", "_majority", "_shuffled"}) name(one + end);
    };
    if (is_planted()) {
      if (asks()) {
        for (const auto& marker : markers()) control(norms::columns()[marker.column].name);
        control("control");
      }
      for (const auto* end : {"", "_low", "_high", "_shuffled"}) name(std::string("relevance") + end);
    }
    if (has_classifier()) control("classified_" + config_.attribute);
    if (config_.view == "model_choice") control("choice_f1");
    return metrics;
  }

  assay::SplitFindings check_split(const assay::SplitToCheck& check) const override {
    const auto size = check.dataset.size(check.split);
    for (const auto index : assay::evaluation::evenly_spaced(
             size, std::min(config_.documents > 0 ? config_.documents : size, norms::kMostCounted))) {
      const auto document = check.dataset.document(check.split, index);
      const auto view = view_of(document);
      if (const auto tokens = view ? static_cast<int64_t>(view->input.size()) + 1 : 0; tokens > check.training_context)
        return {{},
                {assay::evaluation::place_of(document) + ", view '" + config_.view + "': the prompt has " +
                 std::to_string(tokens) + " tokens, more than the " + std::to_string(check.training_context) +
                 " of a row of training; set max_text_tokens as in training, or a larger data.context"}};
    }
    return {};
  }

  void evaluate(assay::EvaluationContext& context) override {
    auto items = items_of(context);
    write(context, items);
    const auto other = norms::others(items, context.draws());
    std::vector<assay::ExampleRow> examples;
    for (const auto& item : items) examples.push_back({item.document.id, {}, {}});
    report_overlap(context, items, examples);
    const auto majority = norms::majority_of(context.dataset(), config_.view == "model_choice" ? &maker_ : nullptr);
    if (is_planted()) report_planted(context, items, other, majority, examples);
    if (has_classifier()) report_classified(context, items, other, majority, examples);
    if (config_.view == "model_choice") report_choice(context, items, other, majority);
    for (size_t i = 0; i < items.size(); ++i) {
      if (config_.texts)
        examples[i].texts = {{"situation", field(items[i].document, norms::kSituation)},
                             {"human", items[i].gold},
                             {"written", items[i].written}};
      context.example(examples[i]);
    }
  }

 private:
  bool is_planted() const { return config_.checker == "planted"; }
  // Whether there are attributes that a text should have: those given, or those that the model chose.
  bool asks() const { return config_.view != "plain"; }
  bool has_classifier() const { return !config_.classifier.folder.empty(); }
  const std::vector<norms::planted::Marker>& markers() const {
    return config_.target == "rot" ? norms::planted::markers_of_rot() : norms::planted::markers_of_action();
  }

  std::optional<norms::View> view_of(const Document& document) const {
    return config_.view == "demo" ? maker_.demo_prompt(document) : maker_.view(config_.view, document);
  }

  std::vector<Item> items_of(assay::EvaluationContext& context) const {
    const auto& dataset = context.dataset();
    std::vector<Item> items;
    for (const auto index : assay::evaluation::evenly_spaced(dataset.size(context.split()), config_.documents)) {
      auto document = dataset.document(context.split(), index);
      auto view = view_of(document);
      if (!view) continue;
      auto& item = items.emplace_back();
      item.gold = document.fields.at(maker_.column());
      item.document = std::move(document);
      item.view = std::move(*view);
    }
    return items;
  }

  // The texts, and the attribute tokens after them, of all items.
  void write(assay::EvaluationContext& context, std::vector<Item>& items) const {
    size_t longest = 1;
    for (const auto& item : items) longest = std::max(longest, item.view.input.size());
    const auto each = longest + static_cast<size_t>(config_.tokens);
    const auto at_once = std::max<size_t>(static_cast<size_t>(context.tokens_per_forward()) / each, 1);
    assay::evaluation::Work work(context, std::max(static_cast<double>(items.size()), 1.0));
    for (size_t begin = 0; begin < items.size(); begin += at_once) {
      const auto end = std::min(begin + at_once, items.size());
      std::vector<assay::Prompt> prompts;
      for (size_t i = begin; i < end; ++i) prompts.push_back({items[i].view.input, {}});
      const auto made = work.decode(*config_.decoder, prompts, config_.tokens, static_cast<double>(end - begin));
      for (size_t i = begin; i < end; ++i) {
        const auto& continuation = made[i - begin];
        items[i].ended = continuation.ended;
        std::vector<int32_t> text;
        for (const auto long_id : continuation.ids) {
          const auto id = static_cast<int32_t>(long_id);
          ++items[i].tokens;
          if (attribute_tokens_.count(id)) {
            items[i].chosen.push_back(id);
          } else if (added_tokens_.count(id)) {  // a marker, such as [/rot], ends the text
            items[i].ended = true;
            break;
          } else {
            text.push_back(id);
          }
        }
        items[i].written = context.vocabulary().tokenizer().decode(text);
      }
    }
  }

  // ---- what is reported ----------------------------------------------------------------------

  void report_overlap(assay::EvaluationContext& context, const std::vector<Item>& items,
                      std::vector<assay::ExampleRow>& examples) const {
    // All texts that people wrote for the same input are references.
    std::set<std::string> situations;
    for (const auto& item : items) situations.insert(field(item.document, norms::kSituation));
    std::map<std::vector<int32_t>, std::vector<std::vector<std::string>>> references;
    const auto& dataset = context.dataset();
    for (int64_t i = 0; i < dataset.size(context.split()); ++i) {
      const auto document = dataset.document(context.split(), i);
      if (!situations.count(field(document, norms::kSituation))) continue;
      if (const auto view = view_of(document))
        references[view->input].push_back(assay::overlap::lower_words(document.fields.at(maker_.column())));
    }
    double bleu = 0, rouge = 0, tokens = 0;
    Share ended;
    for (size_t i = 0; i < items.size(); ++i) {
      const auto& item = items[i];
      const auto own = assay::overlap::bleu4(references.at(item.view.input), assay::overlap::lower_words(item.written));
      const auto shared = assay::overlap::rouge_l(item.gold, item.written).f;
      bleu += own, rouge += shared, tokens += static_cast<double>(item.tokens);
      ended.add(item.ended);
      examples[i].numbers["bleu"] = 100 * own;
      examples[i].numbers["rouge_l"] = shared;
    }
    const auto count = static_cast<double>(items.size()), weight = std::max(count, 1.0);
    const bool any = !items.empty();
    context.metric({"bleu", 100 * bleu, weight, "%", Direction::kHigher, {}, any});
    context.metric({"rouge_l", rouge, weight, "", Direction::kHigher, {}, any});
    context.metric({"length", tokens, weight, "tokens", Direction::kNone, {}, any});
    context.metric({"ended", ended.hits, weight, "", Direction::kNone, {}, any});
    context.metric({"documents", count, 1, "", Direction::kNone, {}});
  }

  // The cell of an attribute that a text should have; nothing where there is none. Of what the model chose itself, a
  // single value that it left out is not asked for, as in its training; a model that chose nothing at all has missed
  // everything, see report_asked.
  std::optional<std::string> asked(const Item& item, size_t column) const {
    if (config_.view != "model_choice") {
      const auto found = item.document.fields.find(norms::columns()[column].name);
      return found == item.document.fields.end() ? std::nullopt : std::optional(found->second);
    }
    if (!is_given(column)) return {};
    std::string cell;
    for (const auto& value : norms::values_of(column))
      for (const auto id : std::set<int32_t>(item.chosen.begin(), item.chosen.end()))
        if (attribute_tokens_.at(id) == std::pair{column, value}) cell += (cell.empty() ? "" : "|") + value;
    const bool is_list = norms::columns()[column].type == norms::Type::kChoices;
    return cell.empty() && !is_list && !item.chosen.empty() ? std::nullopt : std::optional(cell);
  }
  bool is_given(size_t column) const {
    const auto& given = maker_.attributes();
    return std::find(given.begin(), given.end(), column) != given.end();
  }

  void report_planted(assay::EvaluationContext& context, const std::vector<Item>& items,
                      const std::vector<const Item*>& other, const Majority& majority,
                      std::vector<assay::ExampleRow>& examples) const {
    if (asks()) report_asked(context, items, other, majority, examples);
    Control relevance;
    for (size_t i = 0; i < items.size(); ++i) {
      const auto situation = field(items[i].document, norms::kSituation);
      const bool hit = norms::planted::is_relevant(items[i].written, situation);
      relevance.own[situation_of(items[i])].add(hit);
      if (other[i]) relevance.shuffled.add(norms::planted::is_relevant(other[i]->written, situation));
      examples[i].numbers["relevance"] = hit;
    }
    report_control(context, "relevance", relevance, false);
  }

  // Whether texts show what was asked for. Attributes that only the demo gives are reported, and are not part of
  // control.
  void report_asked(assay::EvaluationContext& context, const std::vector<Item>& items,
                    const std::vector<const Item*>& other, const Majority& majority,
                    std::vector<assay::ExampleRow>& examples) const {
    const auto shown = [&](const Item& item, const norms::planted::Marker& marker) {
      return norms::planted::shown(marker, assay::text::words_of(item.written));
    };
    Control all;
    for (const auto& marker : markers()) {
      Control control;
      for (size_t i = 0; i < items.size(); ++i) {
        const auto cell = asked(items[i], marker.column);
        if (!cell) continue;
        const bool chose = config_.view != "model_choice" || !items[i].chosen.empty();
        const auto hits = [&](const Item& item) { return chose && shown(item, marker) == *cell; };
        const bool hit = hits(items[i]);
        for (auto* one : {&control, is_given(marker.column) ? &all : nullptr}) {
          if (!one) continue;
          one->own[situation_of(items[i])].add(hit);
          one->majority.add(majority.is(marker.column, *cell));
          if (other[i]) one->shuffled.add(hits(*other[i]));
        }
        if (is_given(marker.column)) examples[i].numbers["control"] += hit, ++examples[i].numbers["attributes"];
      }
      report_control(context, norms::columns()[marker.column].name, control);
    }
    report_control(context, "control", all);
  }

  // The attribute as the other run's classifier reads it. Lists are right when they have the same items.
  void report_classified(assay::EvaluationContext& context, const std::vector<Item>& items,
                         const std::vector<const Item*>& other, const Majority& majority,
                         std::vector<assay::ExampleRow>& examples) const {
    const auto column = norms::column_at(config_.attribute);
    std::vector<std::vector<std::string>> texts;
    for (const auto& item : items) {
      auto& row = texts.emplace_back();
      for (const auto& name : config_.classifier_fields) row.push_back(field(item.document, norms::column_at(name)));
      row.push_back(item.written);
    }
    const auto found =
        norms::classified(context.other(config_.classifier), column, texts, config_.classifier_text_tokens);
    const bool is_list = norms::columns()[column].type == norms::Type::kChoices;
    Control control;
    for (size_t i = 0; i < items.size(); ++i) {
      if (!items[i].document.fields.count(config_.attribute)) continue;
      const auto cell = field(items[i].document, column);
      auto gold = is_list ? norms::items_of(cell) : std::vector{cell};
      std::sort(gold.begin(), gold.end());
      control.own[situation_of(items[i])].add(found[i] == gold);
      control.majority.add(majority.is(column, cell));
      if (other[i]) control.shuffled.add(found[static_cast<size_t>(other[i] - items.data())] == gold);
      examples[i].numbers["classified"] = found[i] == gold;
    }
    report_control(context, "classified_" + config_.attribute, control);
  }

  void report_choice(assay::EvaluationContext& context, const std::vector<Item>& items,
                     const std::vector<const Item*>& other, const Majority& majority) const {
    Control control;
    for (size_t i = 0; i < items.size(); ++i) {
      const auto gold = maker_.attribute_tokens(items[i].document);
      control.own[situation_of(items[i])].add(norms::agreement(items[i].chosen, gold));
      control.majority.add(norms::agreement(majority.tokens, gold));
      if (other[i]) control.shuffled.add(norms::agreement(other[i]->chosen, gold));
    }
    report_control(context, "choice_f1", control);
  }

  Config config_;
  norms::ViewMaker maker_;
  std::map<int32_t, std::pair<size_t, std::string>> attribute_tokens_;  // column and value
  std::set<int32_t> added_tokens_;
};

}  // namespace

ASSAY_PLUGIN("norm_control", "1.0.0", assay::component<NormControl>("norm_control"))
