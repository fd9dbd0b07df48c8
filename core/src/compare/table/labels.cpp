#include "compare/table/labels.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "compare/results/run_results.h"

namespace assay::compare {

using nlohmann::json;

std::string label_of_axes(const std::string& plan_label, const json& axes, const std::vector<std::string>& shown) {
  std::map<std::size_t, std::string> places;  // position of each axis in the plan's label
  std::string unnamed;
  for (const auto& [axis, value] : axes.items()) {
    auto at = plan_label.find(axis + "=");
    while (at != std::string::npos && at > 0 && plan_label[at - 1] != ' ') at = plan_label.find(axis + "=", at + 1);
    if (at != std::string::npos) {
      places[at] = axis;
    } else if (std::find(shown.begin(), shown.end(), axis) != shown.end()) {
      unnamed += (unnamed.empty() ? "" : " ") + axis + "=" + record::scalar_text(value);
    }
  }
  std::string label = unnamed;
  for (auto place = places.begin(); place != places.end(); ++place) {
    if (std::find(shown.begin(), shown.end(), place->second) == shown.end()) continue;
    const auto next = std::next(place);
    auto part = plan_label.substr(place->first, next == places.end() ? std::string::npos : next->first - place->first);
    part.erase(part.find_last_not_of(' ') + 1);
    label += (label.empty() ? "" : " ") + part;
  }
  return label.empty() ? plan_label : label;
}

std::vector<std::string> differing_axes(const std::vector<const json*>& axes_of_rows) {
  std::map<std::string, std::set<std::string>> values;
  for (const auto* axes : axes_of_rows)
    for (const auto& [axis, value] : axes->items()) values[axis];
  for (auto& [axis, seen] : values)
    for (const auto* axes : axes_of_rows) seen.insert(axes->contains(axis) ? axes->at(axis).dump() : "");
  std::vector<std::string> differing;
  for (const auto& [axis, seen] : values)
    if (seen.size() > 1 || axes_of_rows.size() == 1) differing.push_back(axis);
  return differing;
}

}  // namespace assay::compare
