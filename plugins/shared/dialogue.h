// Dialogues as documents and as tokens. A document has its turns in the field "turns", a JSON list of
// {"speaker", "text"}; a generated one also has "triggers" and "toxic", the places of such words in the text, from 0.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "assay/dataset.h"
#include "assay/error.h"

namespace assay::dialogue {

inline constexpr const char* kTurns = "turns";

struct Turn {
  std::string speaker, text;
  std::vector<int64_t> triggers = {}, toxic = {};
};

inline std::string written(const std::vector<Turn>& turns) {
  auto all = nlohmann::json::array();
  for (const auto& turn : turns) {
    nlohmann::json one{{"speaker", turn.speaker}, {"text", turn.text}};
    if (!turn.triggers.empty()) one["triggers"] = turn.triggers;
    if (!turn.toxic.empty()) one["toxic"] = turn.toxic;
    all.push_back(std::move(one));
  }
  // Text that is not UTF-8 is kept as far as it is.
  return all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// No turns where the document has none. UserError where the field is not such a list.
inline std::vector<Turn> turns_of(const Document& document) {
  const auto field = document.fields.find(kTurns);
  if (field == document.fields.end()) return {};
  std::vector<Turn> turns;
  try {
    for (const auto& one : nlohmann::json::parse(field->second))
      turns.push_back({one.at("speaker"), one.at("text"), one.value("triggers", std::vector<int64_t>()),
                       one.value("toxic", std::vector<int64_t>())});
  } catch (const nlohmann::json::exception& error) {
    throw UserError("document '" + document.id +
                    "': its field 'turns' is not a JSON list of {\"speaker\", \"text\"}: " + error.what());
  }
  return turns;
}

struct Span {
  int64_t begin = 0, end = 0;  // the end is exclusive
  bool operator==(const Span&) const = default;
};

// Turns one after another, each followed by an end of text, of which the last tokens are kept.
struct History {
  std::vector<int32_t> tokens;
  std::vector<Span> turns;  // what is left of each turn's own tokens; empty where nothing is
  int64_t cut = 0;          // first tokens that were left out
};
inline History joined(const std::vector<std::vector<int32_t>>& turns, int32_t end_of_text, int64_t most) {
  History history;
  for (const auto& turn : turns) {
    const auto begin = static_cast<int64_t>(history.tokens.size());
    history.tokens.insert(history.tokens.end(), turn.begin(), turn.end());
    history.turns.push_back({begin, static_cast<int64_t>(history.tokens.size())});
    history.tokens.push_back(end_of_text);
  }
  history.cut = std::max<int64_t>(static_cast<int64_t>(history.tokens.size()) - most, 0);
  history.tokens.erase(history.tokens.begin(), history.tokens.begin() + history.cut);
  for (auto& [begin, end] : history.turns) {
    begin = std::max<int64_t>(begin - history.cut, 0);
    end = std::max<int64_t>(end - history.cut, 0);
  }
  return history;
}

}  // namespace assay::dialogue
