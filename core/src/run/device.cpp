#include "run/device.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "device/device.h"

namespace assay::run {
using nlohmann::json;

namespace {

constexpr const char* kWorkspace = "CUBLAS_WORKSPACE_CONFIG";
constexpr const char* kNcclAlgorithm = "NCCL_ALGO";

bool on_gpu(const std::string& device) { return device.starts_with("cuda"); }

bool is_nccl(const record::PlanLine& line) { return line.resources.mesh.backend == "nccl"; }

std::optional<Refusal> refusal_of(const std::string& device, const record::PlanLine& line) {
  const auto quoted = "'" + device + "' ";
  if (on_gpu(device) && !kernels::device::built())
    return Refusal{"resources.device", quoted +
                                           "needs a CUDA build, but this build supports only the CPU; configure with "
                                           "-DASSAY_CUDA=ON, or set resources.device = \"cpu\""};
  const int ranks = line.resources.mesh.ranks();
  const bool nccl = is_nccl(line);
  if (nccl && (device == "cpu" || !kernels::device::built()))
    return Refusal{"resources.mesh.backend",
                   device == "cpu"
                       ? "'nccl' needs one GPU per rank, but resources.device is \"cpu\"; use threads or mpi"
                       : "'nccl' needs a CUDA build, but this build supports only the CPU; configure with "
                         "-DASSAY_CUDA=ON, or use threads or mpi"};
  if (on_gpu(device) && ranks > 1 && !nccl)
    return Refusal{"resources.device", quoted + "with " + std::to_string(ranks) +
                                           " ranks (resources.mesh) needs resources.mesh.backend = \"nccl\"; set it, "
                                           "or set tensor = data = 1 or resources.device = \"cpu\""};
  const auto& precision = line.train.train.precision;
  const bool surely_cpu = device == "cpu" || (device == "auto" && ((ranks > 1 && !nccl) || !kernels::device::built()));
  if (surely_cpu && (precision == "bf16" || precision == "tf32"))
    return Refusal{
        "train.precision",
        "'" + precision +
            "' needs a GPU, but this run uses the CPU; use fp32 or fp64, or a CUDA build on a machine with a GPU"};
  return std::nullopt;
}

// The number in "cuda:1"; 0 for "cuda".
int gpu_index(const std::string& device) {
  const auto colon = device.find(':');
  int index = 0;
  if (colon != std::string::npos) std::from_chars(device.data() + colon + 1, device.data() + device.size(), index);
  return index;
}

// cuBLAS reads its workspace from the environment at first use, and is bit-reproducible only with a fixed one.
void repeat_bits(bool tf32) {
  ::setenv(kWorkspace, ":4096:8", /*overwrite=*/0);
  ::setenv(kNcclAlgorithm, "Ring", /*overwrite=*/0);  // tree sums depend on the arrival order of messages
  auto& context = at::globalContext();
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);  // only detects misuse and costs a pass over every new tensor
  context.setFloat32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL,
                              tf32 ? at::Float32Precision::TF32 : at::Float32Precision::IEEE);
}

}  // namespace

std::optional<Refusal> refusal(const record::PlanLine& line) { return refusal_of(line.resources.device, line); }

Compute resolve_compute(const record::PlanLine& line) {
  auto device = line.resources.device;
  const int gpus = kernels::device::count();
  if (device == "auto") device = gpus > 0 && (line.resources.mesh.ranks() == 1 || is_nccl(line)) ? "cuda:0" : "cpu";
  if (const auto refused = refusal_of(device, line)) throw UserError(refused->path + ": " + refused->message);
  if (!on_gpu(device)) return {};
  const int index = gpu_index(device);
  if (index >= gpus)
    throw UserError("resources.device: '" + device + "' is requested, but CUDA finds " + std::to_string(gpus) +
                    " GPUs; check nvidia-smi and CUDA_VISIBLE_DEVICES, or set resources.device = \"cpu\"");
  const auto& precision = line.train.train.precision;
  repeat_bits(precision == "tf32");
  return {at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index)), precision == "bf16"};
}

Compute compute_of_rank(Compute first, int rank_on_host) {
  const int index = first.device.index() + rank_on_host, gpus = kernels::device::count();
  if (index >= gpus)
    throw UserError("resources.mesh: rank " + std::to_string(rank_on_host) + " of this host needs GPU " +
                    std::to_string(index) + ", but CUDA finds " + std::to_string(gpus) +
                    " GPUs; use fewer ranks, or more hosts (resources.mesh.mpirun)");
  first.device = at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
  return first;
}

std::map<std::string, std::string> description(const Compute& compute) {
  if (!compute.device.is_cuda()) return {};
  const auto gpu = kernels::device::describe(compute.device.index());
  return {{"name", gpu.name},
          {"driver", gpu.driver},
          {"runtime", gpu.runtime},
          {"deterministic", at::globalContext().deterministicAlgorithms() ? "yes" : "no"},
          {"tf32", at::globalContext().float32Precision(at::Float32Backend::CUDA, at::Float32Op::MATMUL) ==
                           at::Float32Precision::TF32
                       ? "allowed"
                       : "no"},
          {"cublas_workspace", std::getenv(kWorkspace)},
          {"nccl_algorithm", std::getenv(kNcclAlgorithm)}};
}

Batch to_device(Batch batch, at::Device device) {
  const auto move = [&](Tensor& x) {
    if (x.defined()) x = x.to(device);
  };
  for (auto* tensor : {&batch.tokens, &batch.targets, &batch.loss_weight, &batch.positions, &batch.segment,
                       &batch.key_mask, &batch.row_id, &batch.sample_id, &batch.source_length, &batch.spans})
    move(*tensor);
  for (auto& [name, tensor] : batch.channels) move(tensor);
  return batch;
}

ForwardPrecision::ForwardPrecision(const Compute& compute) : type_(compute.device.type()), on_(compute.bf16) {
  if (!on_) return;
  was_on_ = at::autocast::is_autocast_enabled(type_);
  dtype_before_ = at::autocast::get_autocast_dtype(type_);
  at::autocast::set_autocast_enabled(type_, true);
  at::autocast::set_autocast_dtype(type_, at::kBFloat16);
  at::autocast::increment_nesting();
}

// Casts of weights are cached while a guard exists, so that one forward pass makes each only once. They must not
// outlive it, because the optimizer writes weights in place.
ForwardPrecision::~ForwardPrecision() {
  if (!on_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(type_, was_on_);
  at::autocast::set_autocast_dtype(type_, dtype_before_);
}

}  // namespace assay::run
