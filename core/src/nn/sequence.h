// Sequence parallelism: where a forward does it, what is between a row layer and the next column layer (norms, dropout,
// residuals) is worked on by each tensor rank for its part of the positions alone. Korthikanti et al. 2022,
// arXiv:2205.05198, sec. 4.2.2.
#pragma once

#include <map>
#include <vector>

#include "assay/mesh.h"
#include "assay/parameters.h"

namespace assay::nn {

// Gradients of replicated parameters that were used on a part of the positions: of each rank its part's share. They
// are kept aside in the backward pass and summed over the ranks once a step.
class PartialGradients {
 public:
  void add(const c10::TensorImpl* parameter, const Tensor& share);
  // Into grad(), by one sum over the tensor ranks. UserError when something else than a parameter was put aside.
  void collect(std::vector<Parameter>& parameters, const Mesh& mesh);

 private:
  std::map<const c10::TensorImpl*, Tensor> shares_;
};

// While it lives, forwards on this thread are sequence parallel; `partial` outlives their backward passes.
class SequenceRegion {
 public:
  SequenceRegion(const Mesh& mesh, PartialGradients& partial);
  ~SequenceRegion();
  SequenceRegion(const SequenceRegion&) = delete;
  SequenceRegion& operator=(const SequenceRegion&) = delete;

  static const SequenceRegion* present();  // this thread's; null: none
  const Mesh& mesh() const { return mesh_; }
  PartialGradients& partial() const { return partial_; }

 private:
  const Mesh& mesh_;
  PartialGradients& partial_;
  const SequenceRegion* const outer_;
};

}  // namespace assay::nn
