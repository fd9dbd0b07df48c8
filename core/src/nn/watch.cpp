#include "nn/watch.h"

#include <ATen/ops/isfinite.h>

#include <limits>

#include "assay/nn.h"

namespace assay {

namespace {
thread_local nn::Watch* watching = nullptr;

constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
}  // namespace

nn::Watch::Watch() : found_at_(kNone) { watching = this; }
nn::Watch::~Watch() { watching = nullptr; }

nn::Watch* nn::Watch::present() { return watching; }

void nn::Watch::look(const std::string& name, const Tensor& x) {
  if (found_at_ == kNone && !at::isfinite(x).all().item<bool>()) found_at_ = static_cast<int64_t>(names_.size());
  names_.push_back(name);
}

std::string nn::Watch::first(const Mesh& mesh) const {
  int64_t behind = -found_at_;
  for (auto* axis : {&mesh.tensor(), &mesh.data()}) axis->all_reduce_max(&behind, 1, Dtype::kInt64);
  const auto index = static_cast<size_t>(-behind);
  return index < names_.size() ? names_[index] : "";
}

namespace nn {
Tensor watch(const std::string& name, Tensor x) {
  if (watching) watching->look(name, x);
  return x;
}
}  // namespace nn

}  // namespace assay
