// Fits of groups of runs by any of the three approaches, with intervals, and everything a reader must know of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scaling/envelope.h"
#include "scaling/isoflop.h"
#include "scaling/multiplier.h"
#include "scaling/parametric.h"
#include "scaling/quantity.h"

namespace assay::scaling {

// Runs that one law shall describe.
struct RunGroup {
  std::string name{};  // empty if it is the only one
  std::vector<Point> points{};
  std::vector<Curve> curves{};  // for the envelope
};

struct FitOptions {
  bool parametric = true, isoflop = false, envelope = false;
  ParametricOptions fit{};
  IsoflopOptions profiles{};
  EnvelopeOptions curves{};
  BootstrapOptions bootstrap{.resamples = 0};  // 0: no intervals
  std::vector<double> budgets{};               // FLOPs to report the optimum for
  std::optional<std::size_t> baseline{};       // the group that compute multipliers compare with; nothing for none
};

struct GroupFit {
  RunGroup runs;
  std::optional<ParametricFit> parametric{};
  std::optional<IsoflopFit> isoflop{};
  std::optional<EnvelopeFit> envelope{};
};

// A variant's compute multiplier.
struct VariantMultiplier {
  std::string variant, baseline;  // names of groups
  Multiplier multiplier;
};

struct Fits {
  std::vector<GroupFit> groups;
  std::vector<VariantMultiplier> multipliers;
  Report report;
};

// An approach that cannot be fitted is a note of the report. Throws UserError with all reasons and `notes`, which
// otherwise end the report, where nothing can be fitted.
Fits fit_groups(std::vector<RunGroup> groups, const FitOptions& options, const std::string& title,
                const std::vector<std::string>& notes = {});

}  // namespace assay::scaling
