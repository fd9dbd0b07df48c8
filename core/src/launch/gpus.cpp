#include "launch/gpus.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace assay::launch {
namespace {

constexpr bool kCudaBuild = ASSAY_CUDA_BUILD;  // by CMake

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::vector<std::string> visible_gpus() {
  std::vector<std::string> gpus;
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::istringstream names(visible);
    for (std::string name; std::getline(names, name, ',');)
      if (!name.empty() && name != "-1") gpus.push_back(name);
    return gpus;
  }
  std::error_code absent;
  constexpr std::string_view kPrefix = "nvidia";
  for (const auto& entry : std::filesystem::directory_iterator("/dev", absent)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(kPrefix) && is_number(std::string_view(name).substr(kPrefix.size())))
      gpus.push_back(std::to_string(gpus.size()));
  }
  return gpus;
}

SlotRequest slot_request(const record::PlanLine& plan_line, bool any_gpus) {
  SlotRequest request;
  request.cores = plan_line.resources.cores();
  const auto& mesh = plan_line.resources.mesh;
  const bool nccl = mesh.backend == "nccl";
  const int ranks = mesh.ranks();
  if (nccl && mesh.has_processes()) return request;  // its GPUs are on several hosts
  const auto& device = plan_line.resources.device;
  const bool by_itself = device == "auto" && kCudaBuild && any_gpus && (ranks == 1 || nccl);
  if (!by_itself && !device.starts_with("cuda")) return request;
  request.gpus = nccl ? ranks : 1;
  if (const auto colon = device.find(':'); colon != std::string::npos) {
    int first = 0;
    std::from_chars(device.data() + colon + 1, device.data() + device.size(), first);
    for (int i = 0; i < request.gpus; ++i) request.gpu_indices.push_back(first + i);
  }
  return request;
}

}  // namespace assay::launch
