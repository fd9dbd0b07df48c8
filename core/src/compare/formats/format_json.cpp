// A table as JSON.
#include <nlohmann/json.hpp>

#include "compare/formats/format.h"

namespace assay::compare {

nlohmann::ordered_json optional_number(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

namespace {

using Json = nlohmann::ordered_json;

Json count_json(const Count& count) {
  return {{"planned", count.planned},
          {"n", count.present},
          {"failed", count.failed},
          {"diverged", count.diverged},
          {"pruned", count.pruned},
          {"missing", count.missing},
          {"not_applicable", count.not_applicable},
          {"stale", count.stale},
          {"with_skipped_steps", count.skipping}};
}

Json comparison_json(const Comparison& comparison) {
  const auto& difference = comparison.difference;
  Json json = {{"paired", difference.paired},
               {"n", difference.test.n_left},
               {"n_baseline", difference.test.n_right},
               {"difference", difference.test.difference},
               {"half_width", half_width(difference.test)},
               {"degrees_of_freedom", difference.test.degrees_of_freedom},
               {"p", difference.p},
               {"n_too_small", difference.too_few},
               {"separable", comparison.separable}};
  json["p_holm"] = comparison.is_decided() ? Json(comparison.p_holm) : Json(nullptr);
  json["without_spread"] = difference.test.is_exact;
  json["pairs"] = count_json(comparison.pairs);
  json["complete"] = comparison.is_complete();
  json["sign_flip_p"] = optional_number(difference.sign_flip_p);
  json["correlation"] = optional_number(difference.correlation);
  json["documents"] = Json(nullptr);
  if (comparison.documents) json["documents"] = {comparison.documents->low, comparison.documents->high};
  return json;
}

Json tuned_json(const TunedChoice& tuned) {
  return {{"choice", tuned.choice},
          {"trials", tuned.trials},
          {"trials_with_values", tuned.trials_with_values},
          {"open", tuned.open},
          {"edge", tuned.edges}};
}

Json cell_json(const Cell& cell, const Column& column) {
  auto values = Json::array();
  for (const auto& [seed, value] : cell.values) values.push_back({{"seed", seed}, {"value", value}});
  Json json = {{"column", column.name},
               {"mean", cell.summary.n > 0 ? Json(cell.summary.mean) : Json(nullptr)},
               {"deviation", optional_number(cell.summary.deviation)},
               {"half_width", optional_number(cell.summary.half_width)},
               {"count", count_json(cell.count)},
               {"values", values},
               {"best", cell.best}};
  if (cell.comparison) json["comparison"] = comparison_json(*cell.comparison);
  return json;
}

}  // namespace

std::string format_json(const Table& table) {
  Json json = {{"schema", 1}, {"experiment", table.experiment}, {"spread", spread_text(table.spread)}};
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
    Json one = {{"label", row.label},
                {"group", row.group},
                {"axes", row.axes},
                {"baseline", row.baseline},
                {"count", count_json(row.count)},
                {"cells", cells}};
    if (!row.compared_with.empty()) one["compared_with"] = row.compared_with;
    if (!row.shared.empty()) one["shared"] = row.shared;
    if (row.tuned) one["tuned"] = tuned_json(*row.tuned);
    json["rows"].push_back(std::move(one));
  }
  json["notes"] = table.notes;
  json["provenance"] = Json::object();
  for (const auto& [name, value] : table.provenance) json["provenance"][name] = value;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay::compare
