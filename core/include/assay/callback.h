// Kind "callback": looks at (or mends) a run between backward and update.
#pragma once

#include <cstdint>
#include <vector>

#include "assay/component.h"

namespace assay {

struct StepState {
  int64_t step;                        // updates done before this one
  std::vector<Parameter>& parameters;  // with gradients summed over replicas
};

class Callback : public Component {
 public:
  ASSAY_KIND(Callback, "callback", ASSAY_KIND_HASH_CALLBACK);
  virtual void after_backward(const StepState&) {}  // before the gradient norm and clipping
  virtual void after_step(const StepState&) {}
};

}  // namespace assay
