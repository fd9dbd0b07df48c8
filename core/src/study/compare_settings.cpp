#include "study/compare_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/nearest.h"
#include "document/extends.h"
#include "schema/section_keys.h"
#include "sweep/seeds.h"

namespace assay::study {
namespace {

using nlohmann::json;

const std::vector<std::string> kCosts{"train.flops", "train.flops_exact", "train.tokens", "train.parameters",
                                      "train.steps"};

void read_equal(const document::Table& table, const std::string& parent, std::vector<EqualCost>& equal,
                document::Diagnostics& diagnostics) {
  for (const auto& entry : table.entries) {
    const auto name = parent.empty() ? entry.key : parent + "." + entry.key;
    if (const auto* inner = entry.value.as<document::Table>()) {
      read_equal(*inner, name, equal, diagnostics);
      continue;
    }
    const auto number = document::to_json(entry.value);
    if (std::find(kCosts.begin(), kCosts.end(), name) == kCosts.end()) {
      diagnostics.add(entry.position, fmt::format("'{}' is not a valid cost for 'equal'{}", name,
                                                  base::suggestion(name, kCosts, "available: ")));
    } else if (!number.is_number() || number < 0) {
      diagnostics.add(entry.value.position,
                      fmt::format("the tolerance of '{}' must be a number >= 0 (0.02 allows 2%), but is {}", name,
                                  document::describe(entry.value)));
    } else {
      equal.push_back({name, number.get<double>(), entry.position});
    }
  }
}

std::vector<MetricName> names_in(const document::Node* list) {
  std::vector<MetricName> names;
  if (list && list->as<document::Array>())
    for (const auto& item : *list->as<document::Array>())
      if (const auto* name = item.as<std::string>()) names.push_back({*name, item.position});
  return names;
}

std::optional<Tune> read_tune(const document::Node& node, document::Diagnostics& diagnostics) {
  schema::check_section_keys(node, "tune", "'tune' of [compare]", diagnostics);
  const auto* table = node.as<document::Table>();
  const auto* by = table ? document::string_of(*table, "by") : nullptr;
  if (!by) return std::nullopt;
  const auto* split = document::string_of(*table, "split");
  Tune tune{{}, {*by, table->find("by")->position}, split ? *split : "validation", node.position};
  for (const auto& [name, position] : names_in(table->find("over")))
    tune.over.push_back({document::short_name(document::canonical_path(document::split_key(name))), position});
  if (tune.over.empty() && table->find("over"))
    diagnostics.add(table->find("over")->position, "'over' must name at least one axis to tune");
  return tune;
}

std::optional<Report> read_report(const document::Node& node, document::Diagnostics& diagnostics) {
  schema::check_section_keys(node, "report", "'report' of [compare]", diagnostics);
  const auto* table = node.as<document::Table>();
  if (!table) return std::nullopt;
  Report report{std::nullopt, {}, node.position};
  if (const auto* split = document::string_of(*table, "split")) report.split = *split;
  if (const auto* seeds = table->find("seeds"))
    for (const auto& seed : sweep::read_seeds(seeds, diagnostics)) report.seeds.push_back(seed.shown);
  return report;
}

json written_in(const document::Node& document) {
  auto written = json::object();
  for (const char* section : {"compare", "claim", "figure", "scaling"})
    if (const auto* node = document.as<document::Table>()->find(section)) written[section] = document::to_json(*node);
  return written;
}

document::Node node_of(const json& value, const document::Position& position) {
  if (value.is_object()) {
    document::Table table;
    for (const auto& [key, inner] : value.items()) table.set(key, position, node_of(inner, position));
    return {std::move(table), position};
  }
  if (value.is_array()) {
    document::Array array;
    for (const auto& inner : value) array.push_back(node_of(inner, position));
    return {std::move(array), position};
  }
  if (value.is_boolean()) return {value.get<bool>(), position};
  if (value.is_number_integer()) return {value.get<int64_t>(), position};
  if (value.is_number()) return {value.get<double>(), position};
  return {value.is_string() ? value.get<std::string>() : value.dump(), position};
}

}  // namespace

CompareSettings read_compare(const document::Node& document, document::Diagnostics& diagnostics) {
  CompareSettings settings;
  settings.written = written_in(document);
  settings.claims = read_claims(document, diagnostics);
  settings.figures = read_figures(document, diagnostics);
  settings.scaling = read_scaling(document, diagnostics);
  const auto* node = document.as<document::Table>()->find("compare");
  const auto* table = node ? node->as<document::Table>() : nullptr;
  if (!table) return settings;
  schema::check_section_keys(*node, "compare", "[compare]", diagnostics);
  const auto inner = [&](const char* key) {
    const auto* found = table->find(key);
    return found && found->is_table() ? found : nullptr;
  };
  if (const auto* baseline = inner("baseline")) settings.baseline = sweep::read_selector(*baseline, diagnostics);
  settings.drop_unmatched = table->find("unmatched") != nullptr;
  if (const auto* note = document::string_of(*table, "note")) settings.note = *note;
  settings.metrics = names_in(table->find("metrics"));
  if (const auto* equal = inner("equal")) read_equal(*equal->as<document::Table>(), "", settings.equal, diagnostics);
  if (const auto* tune = inner("tune")) settings.tune = read_tune(*tune, diagnostics);
  if (const auto* report = inner("report")) settings.report = read_report(*report, diagnostics);
  if (settings.report && !settings.tune)
    diagnostics.add(settings.report->position, "'report' of [compare] needs 'tune'; add 'tune' or remove 'report'");
  return settings;
}

CompareSettings read_compare_settings(const std::string& file) {
  document::Diagnostics diagnostics;
  const auto document = document::load_document(file, diagnostics);
  auto settings = read_compare(document.root, diagnostics);
  diagnostics.throw_if_any();
  return settings;
}

CompareSettings compare_settings_of(const json& written, const std::string& origin) {
  document::Diagnostics diagnostics;
  const document::Position position{std::make_shared<const std::string>(origin), 0, 0};
  auto settings = read_compare(node_of(written.is_object() ? written : json::object(), position), diagnostics);
  diagnostics.throw_if_any();
  return settings;
}

}  // namespace assay::study
