// What a model writes about held-out situations: whether it has the attributes that were asked for, whether it is about
// the situation, and how near it is to what people wrote. Forbes et al. 2020, arXiv:2011.00620, sec. 5. Attributes are
// read by a checker, where the texts are those of norms_planted, or by a classifier that is another run; beside each
// share are those of two baselines: the attributes that are most frequent in training, and the text for another row.
#include <map>
#include <numeric>
#include <optional>

#include "../../shared/labelled_rows.h"
#include "../../shared/norm_views.h"
#include "../../shared/planted_norms.h"
#include "../rows.h"
#include "../shares.h"
#include "../text_overlap.h"
#include "../work.h"
#include "assay/plugin.h"
#include "control.h"

namespace {

namespace norms = assay::norms;
using assay::Continuation;
using assay::Direction;
using assay::Document;
using assay::Metric;
using assay::Sample;
using assay::evaluation::Share;
using assay::norms::Agreement;
using assay::norms::Control;

// A held-out document, and what the model wrote about its situation.
struct Item {
  Document document;
  norms::View view;
  std::string gold, written;
  std::vector<int32_t> chosen;  // attribute tokens that the model wrote
  bool ended = false;
  int64_t tokens = 0;
};

class NormControl final : public assay::Evaluator {
 public:
  struct Config {
    assay::Child<assay::Decoder> decoder{"greedy"};
    std::string target = "rot", view = "controlled", checker = "none", attribute;
    assay::RunReference classifier;
    std::vector<std::string> classifier_fields{"situation"};
    int64_t documents = 200, tokens = 64, max_text_tokens = 0;
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
        .param(
            "view", &Config::view,
            "What is given: situation and attributes (controlled), or the situation; with model_choice the model also "
            "writes attributes, which are compared with the human ones.",
            {"controlled", "plain", "model_choice"})
        .param("checker", &Config::checker,
               "planted: attributes and relevance are read from the words of norms_planted; none: they are not read.",
               {"none", "planted"})
        .param("classifier", &Config::classifier,
               "Another run whose classifier reads one attribute from the texts; none: it is not read.")
        .param("attribute", &Config::attribute, "The column that the classifier's classes are values of.")
        .param("classifier_fields", &Config::classifier_fields,
               "Fields that the classifier reads before the text, as in its training.")
        .param("documents", &Config::documents, "Number of documents, evenly spaced in the split; 0: all.", 0)
        .param("tokens", &Config::tokens, "Maximum number of new tokens.", 1)
        .param("max_text_tokens", &Config::max_text_tokens,
               "Situations are cut to this many tokens, as in training; 0: they are never cut.", 0)
        .param(
            "texts", &Config::texts,
            "Whether the record keeps the texts; rows of the real data may be offensive, so it does not by default.");
  }
  explicit NormControl(const Config& config) : config_(config), maker_(config.target, config.max_text_tokens) {
    if (has_classifier() && norms::column_at(config_.attribute) == norms::kColumns)
      throw assay::UserError("attribute: '" + config_.attribute +
                             "' is not a column of the data; name the one that the classifier learns");
  }

  void special_tokens(assay::SpecialTokens& tokens) const override { norms::declare_added_tokens(tokens); }
  void bind(const assay::Vocabulary& vocabulary) override {
    maker_.bind(vocabulary);
    for (const auto column : maker_.attributes()) {
      const auto& words = norms::words_of(column).empty() ? norms::columns()[column].values : norms::words_of(column);
      for (const auto& word : words) attribute_tokens_.insert(maker_.token_of(word));
    }
  }

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (!config_.decoder) findings.push_back("has no decoder; give one, for instance \"greedy\"");
    if (!assembly.model->causal()) findings.push_back("writes text from left to right; use a causal model");
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
      for (const auto& marker : markers()) control(norms::columns()[marker.column].name);
      control("control");
      for (const auto* end : {"", "_low", "_high", "_shuffled"}) name(std::string("relevance") + end);
    }
    if (has_classifier()) control("classified_" + config_.attribute);
    if (config_.view == "model_choice")
      for (const auto* one : {"choice_f1", "choice_f1_majority", "choice_f1_shuffled"}) name(one);
    return metrics;
  }

  void evaluate(assay::EvaluationContext& context) override {
    auto items = items_of(context);
    write(context, items);
    const auto other = others(items);
    std::vector<assay::ExampleRow> examples;
    for (const auto& item : items) examples.push_back({item.document.id, {}, {}});
    report_overlap(context, items, examples);
    const auto majority = majority_of(context);
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
  using Cells = std::map<size_t, std::string>;  // of attributes, by column

  bool is_planted() const { return config_.checker == "planted"; }
  bool has_classifier() const { return !config_.classifier.folder.empty(); }
  const std::vector<norms::planted::Marker>& markers() const {
    return config_.target == "rot" ? norms::planted::markers_of_rot() : norms::planted::markers_of_action();
  }

  static std::string field(const Document& document, size_t column) {
    const auto found = document.fields.find(norms::columns()[column].name);
    return found == document.fields.end() ? "" : found->second;
  }

  std::vector<Item> items_of(assay::EvaluationContext& context) const {
    const auto& dataset = context.dataset();
    std::vector<Item> items;
    for (const auto index : assay::evaluation::evenly_spaced(dataset.size(context.split()), config_.documents)) {
      auto document = dataset.document(context.split(), index);
      auto view = maker_.view(config_.view, document);
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
        std::vector<int32_t> text;
        for (const auto id : continuation.ids)
          (attribute_tokens_.count(static_cast<int32_t>(id)) ? items[i].chosen : text)
              .push_back(static_cast<int32_t>(id));
        items[i].written = context.vocabulary().tokenizer().decode(text);
        items[i].ended = continuation.ended;
        items[i].tokens = static_cast<int64_t>(continuation.ids.size());
      }
    }
  }

  // For each item another one about another situation, half of the list away, whose text is the shuffled baseline.
  static std::vector<size_t> others(const std::vector<Item>& items) {
    std::vector<size_t> other(items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      other[i] = (i + items.size() / 2) % items.size();
      while (other[i] != i &&
             field(items[other[i]].document, norms::kSituationId) == field(items[i].document, norms::kSituationId))
        other[i] = (other[i] + 1) % items.size();
    }
    return other;
  }

  // The most frequent cell of each attribute in training, and the most frequent list of attribute tokens.
  struct Majority {
    Cells cells;
    std::vector<int32_t> tokens;
  };
  Majority majority_of(assay::EvaluationContext& context) const {
    const auto& dataset = context.dataset();
    std::map<size_t, std::map<std::string, int64_t>> counts;
    std::map<std::vector<int32_t>, int64_t> lists;
    for (const auto index : assay::evaluation::evenly_spaced(dataset.size(assay::Split::kTrain), kMostCounted)) {
      const auto document = dataset.document(assay::Split::kTrain, index);
      for (size_t column = 0; column < norms::kColumns; ++column)
        if (document.fields.count(norms::columns()[column].name)) ++counts[column][field(document, column)];
      if (config_.view == "model_choice") ++lists[maker_.attribute_tokens(document)];
    }
    const auto most = [](const auto& all) {
      return std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    };
    Majority majority;
    for (const auto& [column, all] : counts) majority.cells[column] = most(all)->first;
    if (!lists.empty()) majority.tokens = most(lists)->first;
    return majority;
  }

  // ---- what is reported
  // -----------------------------------------------------------------------------------------------

  void report_overlap(assay::EvaluationContext& context, const std::vector<Item>& items,
                      std::vector<assay::ExampleRow>& examples) const {
    // All texts that people wrote for the same input are references.
    std::map<std::vector<int32_t>, std::vector<std::vector<std::string>>> references;
    const auto& dataset = context.dataset();
    for (int64_t i = 0; i < dataset.size(context.split()); ++i) {
      const auto document = dataset.document(context.split(), i);
      if (const auto view = maker_.view(config_.view, document))
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

  void report_planted(assay::EvaluationContext& context, const std::vector<Item>& items,
                      const std::vector<size_t>& other, const Majority& majority,
                      std::vector<assay::ExampleRow>& examples) const {
    std::vector<Cells> shown;
    for (const auto& item : items) shown.push_back(norms::planted::attributes_in(markers(), item.written));
    Control all;
    Share relevant, relevant_shuffled;
    const auto& given = maker_.attributes();
    for (const auto& marker : markers()) {
      Control control;
      // An attribute that the view does not give is reported, and is no part of control.
      const bool is_given = std::find(given.begin(), given.end(), marker.column) != given.end();
      for (size_t i = 0; i < items.size(); ++i) {
        if (!items[i].document.fields.count(norms::columns()[marker.column].name)) continue;
        const auto gold = field(items[i].document, marker.column);
        const auto most = majority.cells.find(marker.column);
        const bool hit = shown[i].at(marker.column) == gold,
                   by_majority = most != majority.cells.end() && most->second == gold,
                   by_other = shown[other[i]].at(marker.column) == gold;
        control.own.add(hit), control.majority.add(by_majority), control.shuffled.add(by_other);
        if (!is_given) continue;
        all.own.add(hit), all.majority.add(by_majority), all.shuffled.add(by_other);
        examples[i].numbers["control"] += hit;
        examples[i].numbers["attributes"] += 1;
      }
      norms::report_control(context, norms::columns()[marker.column].name, control);
    }
    report_control(context, "control", all);
    for (size_t i = 0; i < items.size(); ++i) {
      const auto situation = field(items[i].document, norms::kSituation);
      const bool hit = norms::planted::is_relevant(items[i].written, situation);
      relevant.add(hit);
      relevant_shuffled.add(norms::planted::is_relevant(items[other[i]].written, situation));
      examples[i].numbers["relevance"] = hit;
    }
    assay::evaluation::report_share(context, "relevance", relevant);
    context.metric({"relevance_shuffled",
                    relevant_shuffled.hits,
                    std::max(relevant_shuffled.all, 1.0),
                    "",
                    Direction::kNone,
                    {},
                    relevant_shuffled.all > 0});
  }

  // The attribute of each text as the other run's classifier sees it.
  std::vector<std::string> classified(assay::EvaluationContext& context, const std::vector<Item>& items) const {
    auto& run = context.other(config_.classifier);
    auto* const classifier = run.classifier();
    if (!classifier)
      throw assay::UserError("classifier: that run has no objective that classifies; name a run of 'classifier'");
    const auto classes = classifier->classes();
    const auto end_of_text = static_cast<int32_t>(run.vocabulary().special(assay::kEndOfText));
    std::vector<Sample> rows;
    for (const auto& item : items) {
      std::vector<std::string> texts;
      for (const auto& name : config_.classifier_fields) texts.push_back(item.document.fields.at(name));
      texts.push_back(item.written);
      auto& row = rows.emplace_back();
      row.tokens = assay::labelled::row_of(texts, run.vocabulary(), config_.max_text_tokens);
      row.tokens.insert(row.tokens.begin(), end_of_text);
      row.source = 1;
    }
    std::vector<std::string> found;
    constexpr size_t kAtOnce = 32;
    for (size_t first = 0; first < rows.size(); first += kAtOnce) {
      const auto last = std::min(first + kAtOnce, rows.size());
      const auto batch = assay::evaluation::batch_of(rows, first, last, run.vocabulary());
      const auto best = classifier->class_scores(run.forward(batch)).argmax(-1).to(at::kCPU).contiguous();
      for (size_t i = first; i < last; ++i)
        found.push_back(classes.at(static_cast<size_t>(best.const_data_ptr<int64_t>()[i - first])));
    }
    return found;
  }

  void report_classified(assay::EvaluationContext& context, const std::vector<Item>& items,
                         const std::vector<size_t>& other, const Majority& majority,
                         std::vector<assay::ExampleRow>& examples) const {
    const auto column = norms::column_at(config_.attribute);
    const auto found = classified(context, items);
    const auto most = majority.cells.find(column);
    Control control;
    for (size_t i = 0; i < items.size(); ++i) {
      if (!items[i].document.fields.count(config_.attribute)) continue;
      const auto gold = field(items[i].document, column);
      control.own.add(found[i] == gold);
      control.majority.add(most != majority.cells.end() && most->second == gold);
      control.shuffled.add(found[other[i]] == gold);
      examples[i].numbers["classified"] = found[i] == gold;
    }
    report_control(context, "classified_" + config_.attribute, control);
  }

  void report_choice(assay::EvaluationContext& context, const std::vector<Item>& items,
                     const std::vector<size_t>& other, const Majority& majority) const {
    Agreement own, by_majority, shuffled;
    for (size_t i = 0; i < items.size(); ++i) {
      const auto gold = maker_.attribute_tokens(items[i].document);
      own.add(items[i].chosen, gold);
      by_majority.add(majority.tokens, gold);
      shuffled.add(items[other[i]].chosen, gold);
    }
    for (const auto& [name, f1] :
         {std::pair{"choice_f1", &own}, {"choice_f1_majority", &by_majority}, {"choice_f1_shuffled", &shuffled}})
      context.metric({name,
                      f1->twice,
                      std::max(f1->weight, 1.0),
                      "",
                      f1 == &own ? Direction::kHigher : Direction::kNone,
                      {},
                      f1->weight > 0});
  }

  static constexpr int64_t kMostCounted = 20000;  // training documents from which majorities are counted
  Config config_;
  norms::ViewMaker maker_;
  std::set<int32_t> attribute_tokens_;
};

}  // namespace

ASSAY_PLUGIN("norm_control", "1.0.0", assay::component<NormControl>("norm_control"))
