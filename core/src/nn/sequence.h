// Sequence parallelism: in such a forward pass, each tensor rank computes the operations between a row-parallel layer
// and the next column-parallel layer (norms, dropout, residuals) only for its part of the positions. Korthikanti et al.
// 2022, arXiv:2205.05198, sec. 4.2.2.
#pragma once

#include <map>
#include <vector>

#include "assay/mesh.h"
#include "assay/parameters.h"

namespace assay::nn {

// Gradients of replicated parameters that are applied to a part of the positions. Each rank has the contribution of its
// part. They are collected during the backward pass and summed over the ranks once per step.
class PartialGradients {
 public:
  void add(const c10::TensorImpl* parameter, const Tensor& share);
  // Adds them to grad() with one all_reduce over the tensor ranks. Throws UserError when sequence_parallel_parameter
  // was applied to something other than a parameter.
  void collect(std::vector<Parameter>& parameters, const Mesh& mesh);

 private:
  std::map<const c10::TensorImpl*, Tensor> shares_;
};

// During its lifetime, forward passes on this thread are sequence parallel. `partial` must outlive their backward
// passes.
class SequenceParallelRegion {
 public:
  SequenceParallelRegion(const Mesh& mesh, PartialGradients& partial);
  ~SequenceParallelRegion();
  SequenceParallelRegion(const SequenceParallelRegion&) = delete;
  SequenceParallelRegion& operator=(const SequenceParallelRegion&) = delete;

  static const SequenceParallelRegion* present();  // of this thread; null: none
  const Mesh& mesh() const { return mesh_; }
  PartialGradients& partial() const { return partial_; }

 private:
  const Mesh& mesh_;
  PartialGradients& partial_;
  const SequenceParallelRegion* const outer_;
};

}  // namespace assay::nn
