// Where a run computes, and in what numbers.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "assay/batch.h"
#include "assay/tensor.h"

namespace assay::run {

struct Compute {
  at::Device device = at::kCPU;
  bool bf16 = false;  // matrix products of a forward; weights, norms, softmax and losses stay as they are
};

struct Refusal {
  std::string path, message;  // "resources.device"
};

// What of a plan line's device, mesh and precision this build can do on no machine; nothing when it may work. GPUs are
// not looked for: a plan may be made on a machine that has none.
std::optional<Refusal> refusal(const nlohmann::json& line);

// The line's device on this machine: "auto" is the first GPU where a CUDA build finds one and the run has one rank
// (or its mesh is nccl's), else the CPU. On a GPU it also tells LibTorch, for the whole process, to give the same bits
// on every run, and whether TF32 is allowed. UserError, saying what to do, when it cannot be had.
Compute settle_compute(const nlohmann::json& line);

// The GPU of a rank of this host: those after the first rank's, in order. UserError when there are too few.
Compute of_rank(Compute first, int rank_on_host);

// Name of the GPU, versions of driver and runtime, what makes it repeat its bits; empty for the CPU.
std::map<std::string, std::string> description(const Compute& compute);

// Every tensor there; what is there already is shared.
Batch moved(Batch batch, at::Device device);

// While it lives, matrix products on this thread are made of bf16 operands where `compute` says so.
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
