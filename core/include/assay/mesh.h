// The mesh: ranks on two axes, `tensor` (layers are split) and `data` (replicas). Sums are in fixed rank order, so
// equal runs give equal bits. Works on raw buffers; the tensor functions below are made of it.
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

// What one rank asks of its axis. All ranks must ask the same.
struct ASSAY_API Call {
  Collective collective{};
  Dtype dtype = Dtype::kInt64;
  uint64_t count = 0;  // elements of a rank; of gather and broadcast, bytes
  int64_t root = 0;
  bool operator==(const Call&) const = default;
  uint64_t bytes() const;
  std::string text() const;  // "sum of 12 float32"
};

// One axis as seen by one rank. Every rank of the axis must make the same calls in the same order; where they differ,
// all leave with a RunStopped that names two of them (threads; mpi on demand), as they do when a rank fails. What has
// nothing in it is no call.
class ASSAY_API Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  void all_reduce(void* buffer, size_t count, Dtype dtype);  // in place, all ranks get it
  void all_reduce_max(void* buffer, size_t count, Dtype dtype);
  void all_gather(const void* mine, void* all, size_t bytes);                   // all: size() * bytes, in rank order
  void reduce_scatter(const void* all, void* mine, size_t count, Dtype dtype);  // mine: count of size() * count
  void broadcast(void* buffer, size_t bytes, int root);
  void barrier();

  // Calls made so far, of axes of more than one rank.
  using Traffic = std::map<std::pair<Collective, uint64_t>, int64_t>;  // (collective, bytes of a rank): calls
  const Traffic& traffic() const { return traffic_; }

 protected:
  // in == out where the call works in place.
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

// Differentiable over the tensor axis (Megatron's operators; Shoeybi et al. 2019, sec. 3).
ASSAY_API Tensor copy_to_tensor_parallel_region(const Tensor& x, const Mesh& mesh);      // f: identity; gradient summed
ASSAY_API Tensor reduce_from_tensor_parallel_region(const Tensor& x, const Mesh& mesh);  // g: summed; gradient passes
// The same where a dimension is split over the ranks, which its size must allow: UserError (Korthikanti et al. 2022).
ASSAY_API Tensor gather_from_sequence_parallel_region(const Tensor& x, int64_t dim,
                                                      const Mesh& mesh);  // whole; gradient summed and cut
ASSAY_API Tensor reduce_scatter_to_sequence_parallel_region(const Tensor& x, int64_t dim,
                                                            const Mesh& mesh);  // summed, cut; gradient whole
ASSAY_API Tensor scatter_to_tensor_parallel_region(const Tensor& x, int64_t dim,
                                                   const Mesh& mesh);  // cut; gradient whole
ASSAY_API Tensor gather_from_tensor_parallel_region(const Tensor& x, int64_t dim,
                                                    const Mesh& mesh);  // whole; gradient cut
// Not differentiable: in place over an axis.
ASSAY_API void all_reduce(const Tensor& x, Communicator& axis);
ASSAY_API void all_reduce_max(const Tensor& x, Communicator& axis);

}  // namespace assay
