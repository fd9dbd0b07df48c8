#include "compare/settings.h"

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "config/key_path.h"
#include "record/files.h"

namespace assay {

std::string compare_settings_text(const config::CompareSettings& settings) {
  nlohmann::json json = {{"metrics", nlohmann::json::array()}};
  for (const auto& metric : settings.metrics) json["metrics"].push_back(metric.name);
  if (settings.baseline)
    for (const auto& term : settings.baseline->terms) json["baseline"][term.name] = term.wanted;
  return json.dump() + "\n";
}

config::CompareSettings read_saved_compare_settings(const std::filesystem::path& file) {
  config::CompareSettings settings;
  if (!std::filesystem::exists(file)) return settings;
  const config::Position position{std::make_shared<const std::string>(file.string()), 0, 0};
  try {
    const auto json = nlohmann::json::parse(read_file(file));
    for (const auto& name : json.at("metrics")) settings.metrics.push_back({name.get<std::string>(), position});
    if (!json.contains("baseline")) return settings;
    settings.baseline = config::Selector{{}, position};
    for (const auto& [key, wanted] : json["baseline"].items())
      settings.baseline->terms.push_back({config::canonical_path(config::split_key(key)), key, wanted, position});
  } catch (const nlohmann::json::exception&) {
    throw UserError(file.string() + ": not the settings of a comparison; 'assay run' writes it again");
  }
  return settings;
}

}  // namespace assay
