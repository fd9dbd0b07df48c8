// The device and the precision of a run.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "assay/batch.h"
#include "assay/tensor.h"
#include "record/plan_line/plan_line.h"

namespace assay::run {

struct Compute {
  at::Device device = at::kCPU;
  bool bf16 = false;  // for matrix products of a forward pass; weights, norms, softmax and losses stay fp32
};

struct Refusal {
  std::string path, message;  // "resources.device"
};

// Returns an error if this build cannot support a plan line's device, mesh and precision on any machine; no value when
// it may work. GPUs are not detected, because a plan may be made on a machine without one.
std::optional<Refusal> refusal(const record::PlanLine& line);

// Selects the line's device on this machine: "auto" is the first GPU if a CUDA build finds one and the run has one rank
// (or its mesh uses nccl), else the CPU. On a GPU, it also configures LibTorch for the whole process to be
// bit-reproducible, and whether TF32 is allowed. Throws UserError with a remedy when the device is not available.
Compute resolve_compute(const record::PlanLine& line);

// The GPU of a rank of this host: the GPUs from the first rank's on, in order. Throws UserError when there are too few.
Compute compute_of_rank(Compute first, int rank_on_host);

// Name of the GPU, versions of driver and runtime, and settings for reproducibility; empty for the CPU.
std::map<std::string, std::string> description(const Compute& compute);

// Moves every tensor to the device; tensors that are already there are shared.
Batch to_device(Batch batch, at::Device device);

// During its lifetime, matrix products on this thread use bf16 operands if `compute.bf16` is set.
class ForwardPrecision {
 public:
  explicit ForwardPrecision(const Compute& compute);
  ~ForwardPrecision();
  ForwardPrecision(const ForwardPrecision&) = delete;
  ForwardPrecision& operator=(const ForwardPrecision&) = delete;

 private:
  at::DeviceType type_;
  bool on_, was_on_ = false;
  at::ScalarType dtype_before_ = at::kFloat;
};

}  // namespace assay::run
