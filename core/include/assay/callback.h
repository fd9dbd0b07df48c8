// Kind "callback": reads or changes a run between the backward pass and the update.
#pragma once

#include <cstdint>
#include <vector>

#include "assay/component.h"
#include "assay/parameters.h"

namespace assay {

struct StepState {
  int64_t step;                        // number of updates before this one
  std::vector<Parameter>& parameters;  // with gradients that are summed over replicas
};

class Callback : public Component {
 public:
  ASSAY_KIND(Callback, "callback", ASSAY_KIND_HASH_CALLBACK);
  virtual void after_backward(const StepState&) {}  // called before the gradient norm and clipping
  virtual void after_step(const StepState&) {}
};

}  // namespace assay
