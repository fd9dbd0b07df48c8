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

}  // namespace assay::dialogue
