// The progress of one run and its remaining time, from its events and the file of its running evaluation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "launch/job.h"

namespace assay::launch {

struct RunProgress {
  // The evaluations of one [[evaluate]] entry.
  struct Evaluation {
    std::string label;
    std::int64_t every = 0;
    std::int64_t last_step = -1;    // step of the last evaluation that is done or running
    std::optional<double> seconds;  // duration of one evaluation, if known
  };
  struct Running {  // content of progress.json
    std::string label;
    std::int64_t step = 0, batches = 0;
    std::optional<double> share;
    double seconds = 0;
  };

  std::string name;
  std::int64_t steps = 0;
  std::int64_t step = 0;
  std::int64_t first_step = 0;  // the step from which this attempt resumed
  std::optional<double> loss;   // the latest; none if it is NaN or infinite
  std::int64_t skipped = 0;     // steps that changed nothing
  double tokens_per_second = 0;
  double seconds = 0;            // since the worker started
  double evaluated_seconds = 0;  // the part of them that completed evaluations took
  int attempt = 0;
  std::vector<Evaluation> evaluations;  // evaluations that the run has still to make
  std::optional<Running> evaluating;
};

RunProgress progress_of(const Job& job);
void apply_event(RunProgress& run, const nlohmann::json& event);
// Reads progress.json if it belongs to the current attempt; without it no evaluation is running.
void apply_evaluation_progress(RunProgress& run, const std::filesystem::path& file);

// The time of training and evaluations. Nothing while the training rate is not known; evaluations of unknown duration
// are not counted.
std::optional<double> seconds_left(const RunProgress& run);

// "positional=alibi seed=1   120/977  3 skipped  loss 3.2041  17.0k tokens/s  50s left"; "+ evaluation" is appended if
// evaluations of unknown duration are not counted. During an evaluation: "488/488  loss 3.2041  evaluating lm 45%  12s
// left".
std::string describe(const RunProgress& run);
std::string duration_text(double seconds);  // "50s", "3m20s", "2h05m"

}  // namespace assay::launch
