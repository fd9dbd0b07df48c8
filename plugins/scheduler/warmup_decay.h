// The frame of Megatron's decaying schedules (OptimizerParamScheduler), as ratios of the peak:
//   multiplier(s) = start + (1 - start) * s / W              for s < W
//                 = floor + (1 - floor) * fall((s-W)/(T-W))  for W <= s <= T
//                 = floor                                    for s > T
// s = updates done before this one, from 0: the first update has rate `start` when W > 0, and update T would be the
// first at the floor.
#pragma once

#include <string>

#include "assay/scheduler.h"

namespace {

struct WarmupDecay {
  assay::Duration warmup, length;  // W and T; T counts from 0, warm-up included
  double start = 0, floor = 0;

  // fall goes from 1 at 0 to 0 at 1. `name` is the scheduler's, for errors.
  double multiplier(const char* name, int64_t step, const assay::RunLength& run, double (*fall)(double)) const {
    const int64_t W = warmup.steps(run.steps, run.tokens_per_step), T = length.steps(run.steps, run.tokens_per_step);
    if (W >= T)
      throw assay::UserError(std::string(name) + ": a warm-up of " + std::to_string(W) +
                             " steps leaves nothing of a length of " + std::to_string(T) +
                             " steps; make warmup shorter");
    if (step < W) return start + (1.0 - start) * (static_cast<double>(step) / static_cast<double>(W));
    if (step > T) return floor;
    return floor + (1.0 - floor) * fall(static_cast<double>(step - W) / static_cast<double>(T - W));
  }
};

}  // namespace
