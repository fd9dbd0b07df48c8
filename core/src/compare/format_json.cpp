// A table as JSON.
#include <nlohmann/json.hpp>

#include "compare/format.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

Json count_json(const Count& count) {
  return {{"planned", count.planned},   {"n", count.present},       {"failed", count.failed},
          {"diverged", count.diverged}, {"missing", count.missing}, {"not_applicable", count.not_applicable},
          {"stale", count.stale}};
}

Json number(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json cell_json(const Cell& cell, const Column& column) {
  auto values = Json::array();
  for (const auto& [seed, value] : cell.values) values.push_back({{"seed", seed}, {"value", value}});
  return {{"column", column.name},
          {"mean", cell.summary.n > 0 ? Json(cell.summary.mean) : Json(nullptr)},
          {"deviation", number(cell.summary.deviation)},
          {"half_width", number(cell.summary.half_width)},
          {"count", count_json(cell.count)},
          {"values", values}};
}

}  // namespace

std::string format_json(const Table& table) {
  Json json = {{"schema", 1}, {"experiment", table.experiment}, {"spread", kSpread}};
  json["columns"] = Json::array();
  for (const auto& column : table.columns)
    json["columns"].push_back({{"name", column.name},
                               {"title", column.title},
                               {"unit", column.unit},
                               {"direction", column.direction},
                               {"timing", column.timing}});
  json["rows"] = Json::array();
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (size_t i = 0; i < table.columns.size(); ++i) cells.push_back(cell_json(row.cells[i], table.columns[i]));
    json["rows"].push_back({{"label", row.label},
                            {"group", row.group},
                            {"axes", row.axes},
                            {"baseline", row.baseline},
                            {"count", count_json(row.count)},
                            {"cells", cells}});
  }
  json["notes"] = table.notes;
  json["provenance"] = Json::object();
  for (const auto& [name, value] : table.provenance) json["provenance"][name] = value;
  return json.dump(2) + "\n";
}

}  // namespace assay
