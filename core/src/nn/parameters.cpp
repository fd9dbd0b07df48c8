#include "assay/parameters.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>

#include "assay/mesh.h"
#include "assay/random.h"
#include "nn/store.h"

namespace assay {
namespace {

std::string text_of(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const auto size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

// Draws the values of the shard as if the whole tensor were drawn: element i of the global tensor is draw i of the
// stream.
Tensor draw(const ParameterSpec& spec, const Parameters::Store& store, int64_t rank, int64_t ranks) {
  auto local = spec.shape;
  int64_t outer = 1, inner = 1, whole = 1, begin = 0;
  const auto dim = spec.shard_dim;
  for (int64_t d = 0; d < static_cast<int64_t>(local.size()); ++d) {
    auto& size = local[static_cast<size_t>(d)];
    if (d == dim) {
      whole = size;
      size /= ranks;
      begin = rank * size;
    } else {
      (d < dim ? outer : inner) *= size;
    }
  }
  const int64_t width = dim < 0 ? 1 : whole / ranks;
  if (!store.draw) return at::empty(local, store.options);
  const Draws draws(store.seed, spec.name);
  const int64_t row = spec.shape.empty() ? 1 : std::max<int64_t>(1, [&] {
    int64_t size = 1;
    for (size_t d = 1; d < spec.shape.size(); ++d) size *= spec.shape[d];
    return size;
  }());
  auto out = at::empty(local, at::TensorOptions().dtype(at::kDouble));
  auto* values = out.data_ptr<double>();
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t w = 0; w < width; ++w)
      for (int64_t i = 0; i < inner; ++i) {
        const int64_t global = (o * whole + begin + w) * inner + i;
        const bool padding = spec.drawn_rows >= 0 && global / row >= spec.drawn_rows;
        *values++ = padding ? 0.0
                    : spec.init.kind == Init::Kind::kNormal
                        ? spec.init.value * draws.normal(static_cast<uint64_t>(global))
                        : spec.init.value;
      }
  return out.to(store.options);
}

}  // namespace

Tensor Parameters::add(const ParameterSpec& given) {
  ParameterSpec spec = given;
  spec.name = prefix_ + given.name;
  if (shared_) {
    const auto value = existing(spec.name);
    const auto& known = *std::find_if(store_->parameters.begin(), store_->parameters.end(),
                                      [&](const Parameter& parameter) { return parameter.spec.name == spec.name; });
    if (known.spec.shape != spec.shape || known.spec.shard_dim != spec.shard_dim)
      throw UserError("parameter '" + spec.name + "' has shape " + text_of(known.spec.shape) +
                      " and cannot be shared by one of shape " + text_of(spec.shape) +
                      "; make the shapes equal, or do not share it");
    return value;
  }
  for (const auto& known : store_->parameters)
    if (known.spec.name == spec.name) throw UserError("parameter '" + spec.name + "' is added twice");
  const auto& axis = store_->mesh->tensor();
  const auto rank_count = static_cast<int64_t>(spec.shape.size());
  if (spec.shard_dim >= rank_count)
    throw UserError("parameter '" + spec.name + "' has no dimension " + std::to_string(spec.shard_dim));
  if (spec.shard_dim >= 0 && spec.shape[static_cast<size_t>(spec.shard_dim)] % axis.size() != 0)
    throw UserError("parameter '" + spec.name + "' of shape " + text_of(spec.shape) + ": dimension " +
                    std::to_string(spec.shard_dim) + " is not divisible by tensor = " + std::to_string(axis.size()) +
                    "; choose a multiple");
  Parameter parameter{spec, draw(spec, *store_, axis.rank(), axis.size())};
  parameter.value.requires_grad_(true);
  store_->parameters.push_back(parameter);
  return parameter.value;
}

Tensor Parameters::buffer(const std::string& name, const Tensor& value) {
  const auto options = value.is_floating_point() ? store_->options : store_->options.dtype(value.scalar_type());
  store_->buffers.emplace_back(prefix_ + name, value.to(options));
  return store_->buffers.back().second;
}

Tensor Parameters::existing(const std::string& full_name) const {
  for (const auto& known : store_->parameters)
    if (known.spec.name == full_name) return known.value;
  std::string names;
  for (const auto& known : store_->parameters) names += (names.empty() ? "" : ", ") + known.spec.name;
  throw UserError("parameter '" + full_name + "' does not exist yet; available: " + names);
}

const Mesh& Parameters::mesh() const { return *store_->mesh; }
at::TensorOptions Parameters::options() const { return store_->options; }
uint64_t Parameters::seed() const { return store_->seed; }
std::vector<Parameter>& Parameters::all() const { return store_->parameters; }
const std::vector<std::pair<std::string, Tensor>>& Parameters::buffers() const { return store_->buffers; }

}  // namespace assay
