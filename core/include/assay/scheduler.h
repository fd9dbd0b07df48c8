// Kind "scheduler": the factor on the learning rate, a pure function of configuration, step and run length.
#pragma once

#include <cstdint>

#include "assay/component.h"

namespace assay {

struct RunLength {
  int64_t steps;            // updates of the run
  int64_t tokens_per_step;  // predicted tokens per update
};

class Scheduler : public Component {
 public:
  ASSAY_KIND(Scheduler, "scheduler", ASSAY_KIND_HASH_SCHEDULER);
  // step: number of updates before this one, from 0; steps beyond the end are valid. The learning rate is multiplier *
  // optimizer.lr; floors are ratios of the peak. Finite and not negative. UserError when the schedule does not fit the
  // run.
  virtual double multiplier(int64_t step, const RunLength& run) const = 0;
  // The factor on weight decay.
  virtual double decay_multiplier(int64_t, const RunLength&) const { return 1.0; }
};

}  // namespace assay
