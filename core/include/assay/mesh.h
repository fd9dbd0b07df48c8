// The mesh: ranks on two axes, `tensor` (layers are split) and `data` (replicas). Reductions are in a fixed rank order,
// so equal runs give equal bits. Communicators work on raw buffers; the tensor functions below use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "assay/error.h"
#include "assay/tensor.h"

namespace assay {

enum class Dtype { kFloat32, kFloat64, kInt64 };
enum class Collective { kAllReduce, kAllReduceMax, kAllGather, kReduceScatter, kBroadcast, kBarrier };

// One collective call of a rank on its axis. All ranks of the axis must make the same call.
struct ASSAY_API Call {
  Collective collective{};
  Dtype dtype = Dtype::kInt64;
  uint64_t count = 0;  // elements per rank; for all_gather and broadcast, bytes per rank
  int64_t root = 0;
  bool operator==(const Call&) const = default;
  uint64_t bytes() const;
  std::string text() const;  // "sum of 12 float32"
};

// One axis as seen by one rank. Every rank of the axis must make the same calls in the same order. When two ranks make
// different calls (checked for threads; for mpi on request) or a rank fails, all ranks throw a RunStopped; for
// different calls it names two ranks. A collective of 0 elements is not made.
class ASSAY_API Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  void all_reduce(void* buffer, size_t count, Dtype dtype);      // sum, in place, on all ranks
  void all_reduce_max(void* buffer, size_t count, Dtype dtype);  // largest element, in place, on all ranks
  void all_gather(const void* mine, void* all, size_t bytes);    // all: size() * bytes, in rank order
  // Sum; mine: this rank's `count` elements of size() * count.
  void reduce_scatter(const void* all, void* mine, size_t count, Dtype dtype);
  void broadcast(void* buffer, size_t bytes, int root);
  void barrier();

  // The calls made so far, if the axis has more than one rank.
  using Traffic = std::map<std::pair<Collective, uint64_t>, int64_t>;  // (collective, bytes per rank): number of calls
  const Traffic& traffic() const { return traffic_; }

 protected:
  // in == out when the collective works in place.
  virtual void make(const Call& call, const void* in, void* out) = 0;

 private:
  void counted(const Call& call, const void* in, void* out);
  Traffic traffic_;
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

// Differentiable mappings over the tensor axis, after Megatron-LM's mappings (Shoeybi et al. 2019, sec. 3; sequence
// parallel ones: Korthikanti et al. 2022). `dim` is the dimension that is split over the ranks; UserError when its size
// is not divisible by their number. On one rank each mapping returns x.
// f: identity; the gradient is all-reduced.
ASSAY_API Tensor copy_to_tensor_parallel_region(const Tensor& x, const Mesh& mesh);
// g: all-reduce; the gradient is passed through.
ASSAY_API Tensor reduce_from_tensor_parallel_region(const Tensor& x, const Mesh& mesh);
// This rank's part of a full x; the gradient is all-gathered.
ASSAY_API Tensor scatter_to_tensor_parallel_region(const Tensor& x, int64_t dim, const Mesh& mesh);
// All-gather; the gradient is this rank's part.
ASSAY_API Tensor gather_from_tensor_parallel_region(const Tensor& x, int64_t dim, const Mesh& mesh);
// All-gather; the gradient is reduce-scattered.
ASSAY_API Tensor gather_from_sequence_parallel_region(const Tensor& x, int64_t dim, const Mesh& mesh);
// Reduce-scatter; the gradient is all-gathered.
ASSAY_API Tensor reduce_scatter_to_sequence_parallel_region(const Tensor& x, int64_t dim, const Mesh& mesh);
// In place over an axis; not differentiable.
ASSAY_API void all_reduce(const Tensor& x, Communicator& axis);
ASSAY_API void all_reduce_max(const Tensor& x, Communicator& axis);

}  // namespace assay
