// Kind "scheduler": the learning rate's factor, a pure function of the configuration, the step and the run's length.
#pragma once

#include <cstdint>

#include "assay/component.h"

namespace assay {

struct RunLength {
  int64_t steps;            // updates in the whole run
  int64_t tokens_per_step;  // predicted tokens an update
};

class Scheduler : public Component {
 public:
  ASSAY_KIND(Scheduler, "scheduler", ASSAY_KIND_HASH_SCHEDULER);
  // step = updates done before this one, from 0, and defined past the end. The rate is multiplier * optimizer.lr;
  // floors are ratios of the peak. Finite, never negative. Throws UserError for a run that it does not fit.
  virtual double multiplier(int64_t step, const RunLength& run) const = 0;
  // Factor on weight decay.
  virtual double decay_multiplier(int64_t, const RunLength&) const { return 1.0; }
};

}  // namespace assay
