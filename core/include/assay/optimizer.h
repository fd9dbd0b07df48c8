// Kind "optimizer": updates this rank's shards in place from their gradients. Elementwise rules need nothing else; a
// rule that couples elements reduces over the mesh, and must give the same values for every number of tensor ranks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/component.h"
#include "assay/mesh.h"

namespace assay {

class Optimizer : public Component {
 public:
  ASSAY_KIND(Optimizer, "optimizer", ASSAY_KIND_HASH_OPTIMIZER);

  // Peak learning rate; the scheduler's multiplier 1.
  virtual double peak_rate() const = 0;
  // Once, after every parameter is built. Parameters and mesh outlive the optimizer.
  virtual void attach(std::vector<Parameter>& parameters, const Mesh& mesh) = 0;
  // One update from parameter.value.grad() (undefined: zero; its strides may differ from the parameter's), called with
  // gradients switched off. lr includes the schedule; each parameter scales it by
  // spec.rate_scale, and decays by decay_multiplier unless spec.decay is false. What a parameter is for says spec.role.
  virtual void step(double lr, double decay_multiplier) = 0;
  // Everything but the weights that the next step depends on; written in place when a checkpoint is loaded.
  struct State {
    std::string name;   // "exp_avg"
    int64_t parameter;  // index in attach's list; -1: of the whole optimizer
    Tensor value;       // shaped like its parameter and sharded with it, or one number, unless it says:
    std::optional<int64_t> shard_dim = {};  // any shape; this dimension is split over the tensor ranks, -1: none
  };
  virtual std::vector<State> state() = 0;
  // What the state means, by a name. [init] load = "all" takes the state of an optimizer with the same format only, so
  // an option that changes what a state means must change the format.
  virtual std::string state_format() const { return identity().name; }
};

}  // namespace assay
