// The views of a rule of thumb (RoT) or an action: input and output of a language model. Forbes et al. 2020,
// arXiv:2011.00620, sec. 4, with its released code's strings. s situation, r RoT or action, b attributes, <eos> the end
// of text; for an action [action] and [action_and_attrs] take the place of [rot] and [rot_and_attrs]:
//   controlled    s [attrs] b [rot]      ->  r <eos>
//   plain         s [rot]                ->  r <eos>
//   model_choice  s [rot_and_attrs]      ->  r b <eos>
//   classify      s [rot] r [attrs]      ->  b <eos>
//   demo          [situation] s [/situation] b1  ->  b2 [rot] r [/rot] [action] a [/action] [judgment] j [/judgment]
//   <eos>
// In the last one each attribute is dropped, or is on one of the two sides as [name] values [/name].
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "assay/component.h"
#include "assay/dataset.h"
#include "assay/random.h"
#include "assay/tokenizer.h"
#include "norm_columns.h"

namespace assay::norms {

inline const std::vector<size_t>& demo_attributes() {
  static const std::vector<size_t> all{kCharTargeting, kCategorization, kFoundations, kRotAgree, kAgency,
                                       kJudgment,      kActionAgree,    kLegal,       kPressure, kHypothetical};
  return all;
}

inline std::string value_token(const std::string& word) { return "<" + word + ">"; }

// The words of all values that are single tokens, without repetition: RoT and action share those of agreement.
inline std::set<std::string> value_words() {
  std::set<std::string> all;
  for (const auto* attributes : {&rot_attributes(), &action_attributes()})
    for (const auto column : *attributes) {
      all.insert(all_words_of(column).begin(), all_words_of(column).end());
    }
  return all;
}

// Every added token, sorted, so that ids depend on nothing else.
inline std::set<std::string> added_tokens() {
  std::set<std::string> all{"[attrs]", "[rot]", "[action]", "[rot_and_attrs]", "[action_and_attrs]"};
  for (const auto& word : value_words()) all.insert(value_token(word));
  const auto add_tag = [&](const std::string& name) { all.insert({"[" + name + "]", "[/" + name + "]"}); };
  for (const auto* name : {"situation", "rot", "action", "judgment"}) add_tag(name);
  for (const auto column : demo_attributes()) add_tag(columns()[column].name);
  return all;
}

// Declares the added tokens. A value starts as its words, with the space before a word; markers and tags are drawn.
inline void declare_added_tokens(SpecialTokens& tokens) {
  std::map<std::string, std::string> words;
  for (auto word : value_words()) {
    const auto token = value_token(word);
    std::replace(word.begin(), word.end(), '-', ' ');
    words[token] = " " + word;
  }
  for (const auto& token : added_tokens()) tokens.declare(token, words.count(token) ? words[token] : "");
}

struct View {
  std::string name;
  std::vector<int32_t> input, output;  // ids; the output ends with the end of text
};

class ViewMaker {
 public:
  // target: "rot" or "action". max_text: most tokens of a situation, a RoT, an action or a judgment; 0: all.
  ViewMaker(std::string target, int64_t max_text) : target_(std::move(target)), max_text_(max_text) {}

  // UserError when the tokenizer has an added token already, for it could occur in texts with another meaning.
  void bind(const Vocabulary& vocabulary) {
    vocabulary_ = &vocabulary;
    const auto text_ids = vocabulary.tokenizer().size();
    for (const auto& token : added_tokens())
      if (vocabulary.special(token) < text_ids)
        throw UserError("the tokenizer has the token '" + token +
                        "' already, with a meaning of its own; use a tokenizer without it");
  }

  const std::vector<size_t>& attributes() const { return target_ == "rot" ? rot_attributes() : action_attributes(); }
  // The column of the text that is predicted.
  const char* column() const { return columns()[target_ == "rot" ? kRot : kAction].name; }

  // The token of a value of an attribute.
  int32_t token_of(const std::string& word) const { return id(value_token(word)); }

  // The tokens of the attributes that the document has, in their order.
  std::vector<int32_t> attribute_tokens(const Document& document) const {
    std::vector<int32_t> ids;
    for (const auto column : attributes())
      for (const auto& word : words_in(document, column)) ids.push_back(token_of(word));
    return ids;
  }

  // Nothing where the document lacks the situation or the text.
  std::optional<View> view(const std::string& name, const Document& document) const {
    const auto situation = text(document, kSituation), text_of_target = text(document, target_column());
    if (situation.empty() || text_of_target.empty()) return {};
    const auto tokens = attribute_tokens(document);
    View view{name, situation, {}};
    if (name == "controlled") {
      append(view.input, {id("[attrs]")});
      append(view.input, tokens);
    }
    append(view.input, {id(name == "model_choice" ? "[" + target_ + "_and_attrs]" : "[" + target_ + "]")});
    if (name == "classify") {
      append(view.input, text_of_target);
      append(view.input, {id("[attrs]")});
    } else {
      append(view.output, text_of_target);
    }
    if (name == "classify" || name == "model_choice") append(view.output, tokens);
    append(view.output, {id(kEndOfText)});
    return view;
  }

  // Draws 2 i and 2 i + 1 decide whether attribute i is dropped, and on which side it is.
  std::optional<View> demo_view(const Document& document, double dropout, const Draws& draws) const {
    const auto situation = text(document, kSituation);
    if (situation.empty() || text(document, kRot).empty()) return {};
    View view{"demo", {}, {}};
    append_tagged(view.input, "situation", situation);
    const auto& attributes = demo_attributes();
    for (size_t i = 0; i < attributes.size(); ++i) {
      if (draws.uniform(2 * i) < dropout) continue;
      auto& side = draws.uniform(2 * i + 1) < 0.5 ? view.input : view.output;
      append_tagged(side, columns()[attributes[i]].name, demo_values(document, attributes[i]));
    }
    append_tagged(view.output, "rot", text(document, kRot));
    append_tagged(view.output, "action", text(document, kAction));
    append_tagged(view.output, "judgment", text(document, kRotJudgment));
    append(view.output, {id(kEndOfText)});
    return view;
  }

  // The input of demo with every attribute that the document has, up to the RoT, the output.
  std::optional<View> demo_prompt(const Document& document) const {
    const auto situation = text(document, kSituation), rot = text(document, kRot);
    if (situation.empty() || rot.empty()) return {};
    View view{"demo", {}, rot};
    append_tagged(view.input, "situation", situation);
    for (const auto column : demo_attributes())
      append_tagged(view.input, columns()[column].name, demo_values(document, column));
    append(view.input, {id("[rot]")});
    return view;
  }

 private:
  using Ids = std::vector<int32_t>;
  static void append(Ids& ids, const Ids& more) { ids.insert(ids.end(), more.begin(), more.end()); }

  At target_column() const { return target_ == "rot" ? kRot : kAction; }
  int32_t id(const std::string& token) const { return static_cast<int32_t>(vocabulary_->special(token)); }

  // Nothing for an attribute that the document does not have.
  void append_tagged(Ids& ids, const std::string& name, const Ids& values) const {
    if (values.empty()) return;
    append(ids, {id("[" + name + "]")});
    append(ids, values);
    append(ids, {id("[/" + name + "]")});
  }

  static std::string cell(const Document& document, size_t column) {
    const auto found = document.fields.find(columns()[column].name);
    return found == document.fields.end() ? "" : found->second;
  }

  Ids text(const Document& document, size_t column) const {
    auto ids = vocabulary_->tokenizer().encode(cell(document, column));
    if (max_text_ > 0 && static_cast<int64_t>(ids.size()) > max_text_) ids.resize(static_cast<size_t>(max_text_));
    return ids;
  }

  // The words of an attribute's values. A value outside its set has no token; the dataset norms counts or refuses it.
  static std::vector<std::string> words_in(const Document& document, size_t column) {
    const auto value = cell(document, column);
    return value.empty() ? std::vector<std::string>{} : words_of(column, value);
  }

  // A character is named by its text, the first word of the list being character 0; other values are tokens.
  Ids demo_values(const Document& document, size_t column) const {
    if (column != kCharTargeting) {
      Ids ids;
      for (const auto& word : words_in(document, column)) ids.push_back(token_of(word));
      return ids;
    }
    const auto value = cell(document, column);
    if (value.empty()) return {};
    if (value == "char-none") return vocabulary_->tokenizer().encode("nobody");
    const auto characters = items_of(cell(document, kCharacters));
    const auto& names = columns()[column].values;  // char-none, char-0, char-1, ..
    const auto index = static_cast<size_t>(std::find(names.begin(), names.end(), value) - names.begin()) - 1;
    return index < characters.size() ? vocabulary_->tokenizer().encode(characters[index]) : Ids{};
  }

  std::string target_;
  int64_t max_text_;
  const Vocabulary* vocabulary_ = nullptr;
};

}  // namespace assay::norms
