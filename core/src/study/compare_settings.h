// [compare], [[claim]], [[figure]] and [scaling]: the comparison settings of an experiment file.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "study/claims.h"
#include "study/figure_settings.h"
#include "study/metric_check.h"
#include "study/scaling_settings.h"
#include "sweep/selector.h"

namespace assay::study {

// equal = { "train.flops" = 0.02 }: the most expensive row costs at most 2% more than the cheapest.
struct EqualCost {
  std::string name;  // train.flops (6ND), train.flops_exact, train.tokens, train.parameters, train.steps
  double tolerance = 0;
  document::Position position;
};

struct TunedKey {
  std::string name;  // of the axis
  document::Position position;
};

// Of rows that differ only in these axes, the best one by this metric represents all.
struct Tune {
  std::vector<TunedKey> over;
  MetricName by;
  std::string split;
  document::Position position;
};

// What a tuned row reports: evaluations on this split, and runs of these seeds, which are then not used for tuning.
// Both may be absent.
struct Report {
  std::optional<std::string> split;
  std::vector<std::int64_t> seeds;
  document::Position position;
};

struct CompareSettings {
  std::optional<sweep::Selector> baseline;
  bool drop_unmatched = false;  // rows without a partner in the baseline are shown without a comparison
  std::string note;             // what readers of the table must know; empty: nothing
  std::vector<MetricName> metrics;
  std::vector<EqualCost> equal;
  std::optional<Tune> tune;
  std::optional<Report> report;
  std::vector<Claim> claims;
  std::vector<FigureSettings> figures;
  std::optional<ScalingSettings> scaling;
  nlohmann::json written;  // {"compare": .., "claim": [..], "figure": [..], "scaling": ..}, as written in the file
};

CompareSettings read_compare(const document::Node& document, document::Diagnostics& diagnostics);

// Reads the settings of a file and the files that it extends; needs no plugins. Throws ConfigErrors.
CompareSettings read_compare_settings(const std::string& file);

// The inverse of `written`. Throws ConfigErrors whose positions name `origin`.
CompareSettings compare_settings_of(const nlohmann::json& written, const std::string& origin);

}  // namespace assay::study
