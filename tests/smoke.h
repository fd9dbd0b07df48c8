// The values that a plugin's smoke.toml gives to it.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "base/files.h"
#include "document/parse.h"
#include "unit/source_folder.h"

namespace assay::testing {

// Returns the table whose "use" is this name, anywhere in the document; null when there is none.
inline const nlohmann::json* table_of(const nlohmann::json& document, const std::string& name) {
  if (!document.is_structured()) return nullptr;
  if (document.is_object() && document.value("use", nlohmann::json()) == name) return &document;
  for (const auto& part : document)
    if (const auto* found = table_of(part, name)) return found;
  return nullptr;
}

// Returns {"use": name, ..}. Files stay relative to the plugin's folder.
inline nlohmann::json smoke_of(const std::string& kind, const std::string& name) {
  const auto file = source_folder() / "plugins" / kind / name / "smoke.toml";
  if (!std::filesystem::exists(file)) return {{"use", name}};
  document::Diagnostics diagnostics;
  const auto parsed = document::parse_toml(base::read_file(file), file.string(), diagnostics);
  if (!parsed) throw std::runtime_error(file.string() + " is no TOML");
  const auto document = document::to_json(*parsed);
  const auto* found = table_of(document, name);
  if (!found) throw std::runtime_error(file.string() + ": nothing in it uses '" + name + "'");
  return *found;
}

}  // namespace assay::testing
