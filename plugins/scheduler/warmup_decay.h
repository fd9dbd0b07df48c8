// The frame of Megatron's schedules (OptimizerParamScheduler), as ratios of the peak:
//   multiplier(s) = start + (1 - start) * s / W    for s < W
//                 = the schedule's own value       for W <= s <= T
//                 = floor                          for s > T
// s = number of updates before this one, from 0: the first update has rate `start` when W > 0, and the schedule's own
// values end with s = T.
#pragma once

#include <string>

#include "assay/scheduler.h"

namespace {

struct WarmupDecay {
  assay::Duration warmup, length;  // W and T; T counts from 0, warm-up included
  double start = 0, floor = 0;

  struct Ends {
    int64_t W, T;
  };
  // name: of the scheduler, for the error where W is not below T.
  Ends ends(const char* name, const assay::RunLength& run) const {
    const Ends ends{warmup.steps(run.steps, run.tokens_per_step), length.steps(run.steps, run.tokens_per_step)};
    if (ends.W >= ends.T)
      throw assay::UserError(std::string(name) + ": warmup (" + std::to_string(ends.W) +
                             " steps) must be shorter than length (" + std::to_string(ends.T) + " steps)");
    return ends;
  }

  static double warmed(double start, int64_t step, int64_t W) {
    return start + (1.0 - start) * (static_cast<double>(step) / static_cast<double>(W));
  }

  // between(s, W, T) is the schedule's own part.
  template <class Between>
  double framed(const char* name, int64_t step, const assay::RunLength& run, Between between) const {
    const auto [W, T] = ends(name, run);
    if (step < W) return warmed(start, step, W);
    if (step > T) return floor;
    return between(static_cast<double>(step), static_cast<double>(W), static_cast<double>(T));
  }

  // fall goes from 1 at 0, the end of the warm-up, to 0 at 1: floor + (1 - floor) * fall((s - W) / (T - W)).
  template <class Fall>
  double falling(const char* name, int64_t step, const assay::RunLength& run, Fall fall) const {
    return framed(name, step, run,
                  [&](double s, double W, double T) { return floor + (1.0 - floor) * fall((s - W) / (T - W)); });
  }
};

}  // namespace
