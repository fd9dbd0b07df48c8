// [scaling]: which runs a scaling law describes, and how it is fitted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "document/node.h"
#include "record/plan_line/plan_line.h"
#include "study/metric_check.h"

namespace assay::study {

struct ScalingGrid {
  std::vector<double> alpha, beta, e, a, b;  // starts; an empty list stands for the default
};

struct ScalingSettings {
  MetricName metric;            // the final loss, in nats per token; empty for tables of other people
  std::vector<std::string> by;  // axes: runs that agree in them share a law
  document::Position by_position;
  bool parametric = true, isoflop = false, envelope = false;
  bool least_absolute = false;  // otherwise Huber's loss
  double delta = 1e-3, tolerance = 1e-12;
  std::int64_t exclude_highest = 0;
  ScalingGrid grid;
  std::int64_t bootstrap = 4000;  // resamples; 0: no intervals
  std::uint32_t seed = 0;         // of the resamples
  double subset_fraction = 1;     // below 1: resamples are subsets
  std::string flops = "6nd";      // or exact (those that the model counts), app_f_literal, layers_only
  bool non_embedding = false;     // N without embeddings
  double smoothing_window = 10;   // steps
  std::int64_t envelope_points = 1500;
  std::vector<double> budgets;  // of IsoFLOP profiles
  double window = 0.1;          // relative
  std::vector<double> at;       // budgets to report the optimum for
};

// Nothing if the file has no such section.
std::optional<ScalingSettings> read_scaling(const document::Node& document, document::Diagnostics& diagnostics);

// Checks that the runs have the metric and that `by` names axes, or keys that the command line fixed (`narrowed`).
void check_scaling(const ScalingSettings& settings, const std::vector<record::PlanLine>& plan_lines,
                   const std::vector<document::KeyPath>& narrowed, document::Diagnostics& diagnostics);

// The settings of `key=value` words alone, for a table of other people. Throws ConfigErrors.
ScalingSettings scaling_settings_of(const std::vector<std::string>& assignments);

}  // namespace assay::study
