// How far one run is and how long it will still take, by its events and the file of its running evaluation.
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
  // Of one [[evaluate]] entry.
  struct Evaluation {
    std::string label;
    std::int64_t every = 0;
    std::int64_t last_step = -1;    // of the last one that is done or runs
    std::optional<double> seconds;  // that one takes, as far as it is known
  };
  struct Running {  // of progress.json
    std::string label;
    std::int64_t step = 0, batches = 0;
    std::optional<double> share;
    double seconds = 0;
  };

  std::string name;
  std::int64_t steps = 0;
  std::int64_t step = 0;
  std::int64_t first_step = 0;  // where this attempt resumes
  std::optional<double> loss;   // the newest; none when that is not finite
  std::int64_t skipped = 0;     // steps that changed nothing
  double tokens_per_second = 0;
  double seconds = 0;            // since the worker started
  double evaluated_seconds = 0;  // of these, what evaluations took that are done
  int attempt = 0;
  std::vector<Evaluation> evaluations;  // that the run has still to make
  std::optional<Running> evaluating;
};

RunProgress progress_of(const Job& job);
void take_event(RunProgress& run, const nlohmann::json& event);
// From progress.json, if it is of the present attempt; without one, no evaluation runs.
void take_evaluating(RunProgress& run, const std::filesystem::path& file);

// Training and evaluations. Nothing while the rate of training is not known; evaluations count where it is known how
// long they take.
std::optional<double> seconds_left(const RunProgress& run);

// "positional=alibi seed=1   120/977  3 skipped  loss 3.2041  17.0k tokens/s  50s left"; "+ evaluation" behind what
// evaluations of unknown length are not counted in. While one runs: "488/488  loss 3.2041  evaluating lm 45%  12s
// left".
std::string describe(const RunProgress& run);
std::string duration_text(double seconds);  // "50s", "3m20s", "2h05m"

}  // namespace assay::launch
