// [compare] and [[claim]]: what an experiment file says about its own table.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "study/claims.h"
#include "study/figure_settings.h"
#include "study/metric_check.h"
#include "sweep/selector.h"

namespace assay::study {

// equal = { "train.flops" = 0.02 }: the most expensive row costs at most so much more than the cheapest.
struct EqualCost {
  std::string name;  // train.flops (6ND), train.flops_exact, train.tokens, train.parameters, train.steps
  double tolerance = 0;
  document::Position position;
};

struct TunedKey {
  std::string name;  // of the axis
  document::Position position;
};

// Of rows that differ in these axes alone the best one by this metric stands for all.
struct Tune {
  std::vector<TunedKey> over;
  MetricName by;
  std::string split;
  document::Position position;
};

// What a tuned row reports: evaluations of this split, and runs of these seeds, which then do not choose. Both may be
// absent.
struct Report {
  std::optional<std::string> split;
  std::vector<std::int64_t> seeds;
  document::Position position;
};

struct CompareSettings {
  std::optional<sweep::Selector> baseline;
  bool drop_unmatched = false;  // rows without a partner in the baseline are shown uncompared
  std::vector<MetricName> metrics;
  std::vector<EqualCost> equal;
  std::optional<Tune> tune;
  std::optional<Report> report;
  std::vector<Claim> claims;
  std::vector<FigureSettings> figures;
  nlohmann::json written;  // {"compare": .., "claim": [..], "figure": [..]}, as they stand in the file
};

CompareSettings read_compare(const document::Node& document, document::Diagnostics& diagnostics);

// Of a file with what it extends; needs no plugins. Throws ConfigErrors.
CompareSettings read_compare_settings(const std::string& file);

// The other way round from `written`. Throws ConfigErrors whose positions name `origin`.
CompareSettings compare_settings_of(const nlohmann::json& written, const std::string& origin);

}  // namespace assay::study
