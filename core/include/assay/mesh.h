// The mesh: ranks on two axes, `tensor` (layers are split) and `data` (replicas). Sums are in fixed rank order, so
// equal runs give equal bits. Works on raw buffers; the tensor functions below are made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "assay/error.h"
#include "assay/tensor.h"

namespace assay {

enum class Number { kFloat32, kFloat64, kInt64 };

// One axis as seen by one rank. Every rank of the axis must make the same calls in the same order; a rank that fails
// calls Mesh::abort, and the others leave their call with RunStopped.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual void sum(void* buffer, size_t count, Number type) = 0;  // in place, all ranks get it
  virtual void max(void* buffer, size_t count, Number type) = 0;
  virtual void gather(const void* mine, void* all, size_t bytes) = 0;  // all: size() * bytes, in rank order
  virtual void scatter_sum(const void* all, void* mine, size_t count,
                           Number type) = 0;  // mine: count of size() * count
  virtual void broadcast(void* buffer, size_t bytes, int root) = 0;
  virtual void barrier() = 0;
};

class ASSAY_API Mesh {
 public:
  Mesh(std::unique_ptr<Communicator> tensor, std::unique_ptr<Communicator> data)
      : tensor_(std::move(tensor)), data_(std::move(data)) {}
  Communicator& tensor() const { return *tensor_; }
  Communicator& data() const { return *data_; }
  bool first() const { return tensor_->rank() == 0 && data_->rank() == 0; }

 private:
  std::unique_ptr<Communicator> tensor_, data_;
};

// Differentiable over the tensor axis (Megatron's operators; see Shoeybi et al. 2019, sec. 3). Contiguous CPU tensors.
ASSAY_API Tensor copy_to_ranks(const Tensor& x, const Mesh& mesh);   // f: identity; gradient summed
ASSAY_API Tensor sum_over_ranks(const Tensor& x, const Mesh& mesh);  // g: summed; gradient passes
ASSAY_API Tensor gather_last(const Tensor& x, const Mesh& mesh);     // last dimension gathered; gradient sliced
// Not differentiable: in place over an axis.
ASSAY_API void sum_in_place(const Tensor& x, Communicator& axis);
ASSAY_API void max_in_place(const Tensor& x, Communicator& axis);

}  // namespace assay
