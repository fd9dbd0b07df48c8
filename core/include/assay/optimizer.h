// Kind "optimizer": updates this rank's shards in place from their gradients. An elementwise rule needs nothing else. A
// rule that couples elements reduces over the mesh, and must give the same values for any number of tensor ranks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/component.h"
#include "assay/mesh.h"
#include "assay/parameters.h"

namespace assay {

class Optimizer : public Component {
 public:
  ASSAY_KIND(Optimizer, "optimizer", ASSAY_KIND_HASH_OPTIMIZER);

  // The peak learning rate, at which the scheduler's multiplier is 1.
  virtual double peak_rate() const = 0;
  // Called once, after all parameters are built. Parameters and mesh outlive the optimizer.
  virtual void attach(std::vector<Parameter>& parameters, const Mesh& mesh) = 0;
  // One update from parameter.value.grad() (undefined: zero; its strides may differ from the parameter's). Called with
  // gradients disabled. lr includes the schedule. Each parameter scales lr by spec.rate_scale, and its weight decay by
  // decay_multiplier; without decay when spec.decay is false. spec.role is the parameter's purpose.
  virtual void step(double lr, double decay_multiplier) = 0;
  // Everything except the weights that the next step depends on. Loading a checkpoint writes these tensors in place.
  struct State {
    std::string name;   // "exp_avg"
    int64_t parameter;  // index in the list given to attach; -1: state of the whole optimizer
    Tensor value;       // one number, or shaped and sharded like its parameter, unless shard_dim is set
    std::optional<int64_t> shard_dim = {};  // value has any shape; the dimension split over the tensor ranks, -1: none
  };
  virtual std::vector<State> state() = 0;
  // The name of the state's format. [init] load = "all" only accepts the state of an optimizer with the same format, so
  // an option that changes the meaning of a state must change the format.
  virtual std::string state_format() const { return identity().name; }
};

}  // namespace assay
