#include "cli/shared/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "assay/error.h"
#include "compare/results/origin.h"
#include "compare/table/settings.h"
#include "record/build_id.h"
#include "scaling/claims.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

// An unreadable compare.json says nothing about the plan, but a file's claims can be judged without it.
std::map<std::string, int> results_when_stated(const NamedExperiment& experiment) {
  try {
    return compare::read_saved_settings(experiment.layout.compare()).results_when_stated;
  } catch (const UserError&) {
    if (!experiment.file) throw;
    return {};
  }
}

}  // namespace

std::string command_of(const Arguments& arguments) {
  return fmt::format("assay {} {}", arguments.verb, fmt::join(arguments.words, " "));
}

study::CompareSettings compare_settings_of(const NamedExperiment& experiment) {
  if (experiment.file) return study::read_compare_settings(experiment.file->string());
  return compare::read_saved_settings(experiment.layout.compare()).settings;
}

std::string current_training_code() {
  return record::build_id_of_file(worker::worker_program().parent_path().parent_path() / "lib" / "libassay_run.so");
}

compare::CompareRequest compare_request(const NamedExperiment& experiment, const study::CompareSettings& settings,
                                        std::vector<std::string> metrics, bool mixed_code, const Arguments& arguments) {
  if (metrics.empty())
    for (const auto& metric : settings.metrics) metrics.push_back(metric.name);
  return {.experiment = experiment.layout,
          .metrics = std::move(metrics),
          .baseline = settings.baseline,
          .mixed_code = mixed_code,
          .current_code = current_training_code(),
          .command = command_of(arguments),
          .tune = settings.tune,
          .report = settings.report,
          .equal = settings.equal,
          .drop_unmatched = settings.drop_unmatched,
          .note = settings.note};
}

compare::Judgement judge_claims(const NamedExperiment& experiment, const study::CompareSettings& settings,
                                bool mixed_code, const Arguments& arguments, bool is_interim) {
  auto results = compare::read_results(experiment.layout, current_training_code());
  compare::refuse_mixed_code(results, experiment.layout, mixed_code);
  return compare::judge(results, {.settings = settings,
                                  .results_when_stated = results_when_stated(experiment),
                                  .interim = compare::read_interim_analyses(experiment.layout),
                                  .is_interim = is_interim,
                                  .command = command_of(arguments),
                                  .samples = scaling::multiplier_samples(results, settings)});
}

}  // namespace assay::cli
