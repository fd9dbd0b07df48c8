#include "report/configuration.h"

#include <algorithm>
#include <set>

#include "compare/results/run_results.h"
#include "document/key_path.h"

namespace assay::report {
namespace {

using nlohmann::json;
using Flat = std::map<std::string, json>;

bool is_entries(const json& value) {
  return value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [](const json& item) {
           return item.is_object() && item.contains("label");
         });
}

// A file is identified by its content, as in run ids.
bool is_file(const json& value) { return value.contains("path") && value.contains("sha256"); }

void lay_flat(const json& value, const document::KeyPath& path, Flat& flat) {
  const auto below = [&](const std::string& key) {
    auto longer = path;
    longer.push_back(key);
    return longer;
  };
  if (is_entries(value)) {
    for (const auto& entry : value) {
      auto rest = entry;
      rest.erase("label");
      lay_flat(rest, below(entry.at("label")), flat);
    }
  } else if (value.is_object() && is_file(value)) {
    const auto hash = value.at("sha256").get<std::string>().substr(0, 12);
    flat[document::short_name(path)] = value.value("name", std::string("file")) + " " + hash;
  } else if (value.is_object()) {
    for (const auto& [key, item] : value.items()) lay_flat(item, key == "use" ? path : below(key), flat);
  } else if (!(value.is_array() && value.empty())) {
    flat[document::short_name(path)] = value;
  }
}

std::string value_text(const json& value) {
  return value.is_array() ? value.dump(-1, ' ', false, json::error_handler_t::replace) : record::scalar_text(value);
}

}  // namespace

Flat flat_configuration(const record::PlanLine& plan_line) {
  Flat flat;
  const auto train = plan_line.train.to_json();
  for (const auto& [section, value] : train.items()) {
    if (section == "seeds") continue;
    // The plan names lists in the plural.
    const auto singular = section.ends_with('s') ? section.substr(0, section.size() - 1) : section;
    lay_flat(value, {document::is_labelled_section(singular) ? singular : section}, flat);
  }
  for (const auto& evaluation : plan_line.evaluate) {
    auto config = evaluation.config;
    config.update({{"label", evaluation.label}, {"every", evaluation.every}, {"split", evaluation.split}});
    lay_flat(json::array({config}), {"evaluate"}, flat);
  }
  lay_flat(plan_line.resources.to_json(), {"resources"}, flat);
  return flat;
}

Configurations compare_configurations(const std::vector<record::PlanLine>& lines) {
  std::vector<Flat> groups;
  std::set<std::string> keys;
  for (const auto& line : lines) {
    groups.push_back(flat_configuration(line));
    for (const auto& [key, value] : groups.back()) keys.insert(key);
  }
  Configurations configurations;
  configurations.values.resize(groups.size());
  for (const auto& key : keys) {
    const auto is_first = [&](const Flat& group) {
      return group.contains(key) && groups.front().contains(key) && group.at(key) == groups.front().at(key);
    };
    if (std::all_of(groups.begin(), groups.end(), is_first)) {
      configurations.common.emplace_back(key, value_text(groups.front().at(key)));
      continue;
    }
    configurations.keys.push_back(key);
    for (size_t i = 0; i < groups.size(); ++i)
      configurations.values[i].push_back(groups[i].contains(key) ? value_text(groups[i].at(key)) : "");
  }
  return configurations;
}

}  // namespace assay::report
