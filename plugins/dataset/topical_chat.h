// Files in the format of Topical-Chat (Gopalakrishnan et al. 2019, Interspeech): one JSON object, from the id of a
// conversation to {"content": [{"message", "agent"}, ..]}.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "../shared/dialogue.h"
#include "plain_text.h"

namespace assay::dataset {

// Calls use(id, turns) for every conversation of the file. `dataset` is the name in messages; UserError where the file
// is not as it must be.
inline void each_conversation(const std::string& dataset, const std::filesystem::path& file, const auto& use) {
  using nlohmann::json;
  const auto where = dataset + ": " + file.filename().string();
  json all;
  try {
    all = json::parse(read_file(dataset, file));
  } catch (const json::exception& error) {
    throw UserError(where + " is not valid JSON: " + error.what());
  }
  if (!all.is_object()) throw UserError(where + " must be a JSON object from the ids of conversations to their turns");
  for (const auto& [id, conversation] : all.items()) {
    std::vector<dialogue::Turn> turns;
    try {
      for (const auto& turn : conversation.at("content")) turns.push_back({turn.at("agent"), turn.at("message")});
    } catch (const json::exception&) {
      throw UserError(where + ": conversation '" + id +
                      "' has a turn, or a list of turns, that is not as it must be: {\"content\": [{\"message\": text, "
                      "\"agent\": text}, ..]}");
    }
    use(id, turns);
  }
}

}  // namespace assay::dataset
