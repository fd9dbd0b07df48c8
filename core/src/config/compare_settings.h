// [compare], [[claim]] and [[figure]]: what an experiment file says about its own table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/selector.h"

namespace assay::config {

struct MetricName {
  std::string name;  // <evaluator label>.<name>@<coordinate>=<value>, or train.<name>
  Position position;
};

struct CompareSettings {
  std::optional<Selector> baseline;
  std::vector<MetricName> metrics;
};

CompareSettings read_compare(const Node& document, Diagnostics& diagnostics);

// Of a file with what it extends; needs no plugins. Throws ConfigErrors.
CompareSettings read_compare_settings(const std::string& file);

// Keys and types of [[claim]] and [[figure]]; left and right of every claim.
std::vector<Selector> read_claim_sides(const Node& document, Diagnostics& diagnostics);

// Every metric is of [train] or of an evaluator that the runs have.
void check_metrics(const CompareSettings& settings, const std::vector<std::string>& evaluator_labels,
                   Diagnostics& diagnostics);

}  // namespace assay::config
