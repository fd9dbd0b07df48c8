#include "config/compare_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/data_paths.h"
#include "config/extends.h"
#include "config/nearest.h"
#include "config/resolve.h"
#include "config/sections.h"

namespace assay::config {
namespace {

// The same key check as everywhere; these sections hold no components and no paths.
void check_keys(const Node& node, const std::string& section, const std::string& owner, Diagnostics& diagnostics) {
  const Catalogue none;
  PathFinder no_paths;
  Resolver(none, no_paths, diagnostics).section(node, section_parameters(section), owner);
}

const Array& entries_of(const Node& document, const std::string& section) {
  static const Array none;
  const auto* node = document.as<Table>()->find(section);
  const auto* list = node ? node->as<Array>() : nullptr;
  return list ? *list : none;
}

}  // namespace

CompareSettings read_compare(const Node& document, Diagnostics& diagnostics) {
  CompareSettings settings;
  const auto* node = document.as<Table>()->find("compare");
  const auto* table = node ? node->as<Table>() : nullptr;
  if (!table) return settings;
  check_keys(*node, "compare", "[compare]", diagnostics);
  if (const auto* baseline = table->find("baseline"); baseline && baseline->is_table())
    settings.baseline = read_selector(*baseline, diagnostics);
  if (const auto* metrics = table->find("metrics"); metrics && metrics->as<Array>())
    for (const auto& item : *metrics->as<Array>())
      if (const auto* name = item.as<std::string>()) settings.metrics.push_back({*name, item.position});
  return settings;
}

CompareSettings read_compare_settings(const std::string& file) {
  Diagnostics diagnostics;
  const auto document = load_document(file, diagnostics);
  auto settings = read_compare(document.root, diagnostics);
  diagnostics.throw_if_any();
  return settings;
}

std::vector<Selector> read_claim_sides(const Node& document, Diagnostics& diagnostics) {
  std::vector<Selector> sides;
  for (const auto& claim : entries_of(document, "claim")) {
    check_keys(claim, "claim", "[[claim]]", diagnostics);
    const auto* table = claim.as<Table>();
    for (const char* side : {"left", "right"}) {
      const auto* given = table ? table->find(side) : nullptr;
      if (!given || !given->is_table()) continue;
      Node selector = *given;
      selector.as<Table>()->erase("metric");  // a side may have a metric of its own
      sides.push_back(read_selector(selector, diagnostics));
    }
  }
  for (const auto& figure : entries_of(document, "figure")) check_keys(figure, "figure", "[[figure]]", diagnostics);
  return sides;
}

void check_metrics(const CompareSettings& settings, const std::vector<std::string>& evaluator_labels,
                   Diagnostics& diagnostics) {
  auto owners = evaluator_labels;
  owners.push_back("train");
  for (const auto& metric : settings.metrics) {
    const auto owner = metric.name.substr(0, metric.name.find('.'));
    if (owner.size() == metric.name.size()) {
      diagnostics.add(
          metric.position,
          fmt::format(
              "metric '{}' has the form <evaluator>.<name> or train.<name>, for instance lm.bits_per_byte@length=64",
              metric.name));
    } else if (std::find(owners.begin(), owners.end(), owner) == owners.end()) {
      diagnostics.add(metric.position, fmt::format("metric '{}': no [[evaluate]] is labelled '{}'{}", metric.name,
                                                   owner, suggestion(owner, owners, "there are ")));
    }
  }
}

}  // namespace assay::config
