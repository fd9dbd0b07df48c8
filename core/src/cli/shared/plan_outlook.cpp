#include "cli/shared/plan_outlook.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "compare/statistics/families.h"
#include "compare/statistics/power.h"
#include "record/earlier_runs.h"
#include "record/layout.h"
#include "record/orphans.h"
#include "record/provenance.h"
#include "record/run_status.h"
#include "record/staleness.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kPower = 0.8;

record::RunStatus status_of(const record::PlanLine& line, const record::RunLayout& run,
                            const std::string& training_code) {
  std::error_code absent;
  if (!fs::exists(run.folder(), absent)) return record::RunStatus::kQueued;
  const auto status = record::run_status(line, run).status;
  const bool stale = status == record::RunStatus::kDone && record::is_stale(line, run, training_code);
  return stale ? record::RunStatus::kStale : status;
}

// The smallest mean difference, in standard deviations of the difference, that n pairs detect with the stated power.
double detectable(size_t n) {
  double low = 0, high = 100;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (compare::paired_t_power(n, middle, 1, compare::kSignificanceLevel) < kPower ? low : high) = middle;
  }
  return high;
}

}  // namespace

PlanOutlook outlook_of(const plan::Plan& plan) {
  const record::ExperimentLayout experiment(plan.results_folder);
  const auto earlier = record::earlier_runs(plan.results_folder.parent_path(), record::host_name());
  PlanOutlook outlook;
  outlook.earlier = earlier.size();
  for (const auto& line : plan.lines) {
    RunOutlook run;
    run.status = status_of(line, experiment.run(line.train_id), plan.training_code);
    const double contexts = static_cast<double>(line.steps()) * static_cast<double>(line.train.train.batch);
    if (const auto size = plan.sizes.find(line.group); size != plan.sizes.end()) {
      run.six_nd =
          6 * static_cast<double>(size->second.parameters) * contexts * static_cast<double>(line.train.data.context);
      run.seconds = record::estimated_seconds(line.group, size->second.row_flops * contexts, earlier);
    }
    ++outlook.counts[record::name_of(run.status)];
    outlook.runs.push_back(std::move(run));
  }
  outlook.orphans = record::orphans_of(experiment, plan.lines).size();
  return outlook;
}

std::vector<std::string> power_notes(const plan::Plan& plan) {
  if (plan.distinct < 2 || plan.lines.empty()) return {};
  const auto& report = plan.compare.report;
  const bool reports_some = plan.compare.tune && report && !report->seeds.empty();
  const auto seeds = reports_some ? report->seeds.size() : plan.lines.size() / plan.distinct;
  if (seeds < compare::kMinPairs)
    return {fmt::format(
        "{} seed{} per row: n is too small; even the exact sign-flip test of {} pairs cannot go below p = {:.2g}. "
        "A comparison is decided from {} seeds on.",
        seeds, seeds == 1 ? "" : "s", seeds, 2 / std::pow(2.0, static_cast<double>(seeds)), compare::kMinPairs)};
  return {fmt::format(
      "{} seeds per row: with power {}, a paired comparison detects a mean difference of at least {:.2f} standard "
      "deviations of the difference (level {}, before Holm's correction for several rows).",
      seeds, kPower, detectable(seeds), compare::kSignificanceLevel)};
}

}  // namespace assay::cli
