// Adafactor: Shazeer and Stern 2018, arXiv:1804.04235, algorithms 4 and 5, without momentum. Of a matrix's squared
// gradients the means by row and by column are kept, instead of one number per element.
//   keep = 1 - t^-decay_exponent,  S = g^2 + eps1
//   R = keep R + (1 - keep) mean of S by row,  C the same by column,  V = R C / mean(R)
//   (for other shapes V = keep V + (1 - keep) S)
//   u = g / sqrt(V),  u /= max(1, RMS(u) / clip)
//   p -= lr * weight_decay * p,  p -= rate * u,  rate = lr * max(eps2, RMS(p)) with scale_parameter, else lr
// Where a gradient is rounding error alone, like that of a key's bias, an eps1 far below its square lets it decide the
// update, which then differs with the mesh; a larger eps1 keeps it small. The paper's relative step, min(1e-2, 1 /
// sqrt(t)), is left to the scheduler. For parameters that are split over the tensor ranks the sums are over these
// ranks: two collectives per update.
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "assay/optimizer.h"
#include "assay/plugin.h"

namespace {

using assay::Tensor;

// A parameter's second moment, and the intermediate values of one update.
struct Entry {
  assay::Parameter* parameter;
  int64_t split;                   // dimension that is split over the ranks; -1: none
  double elements, rows, columns;  // of the whole parameter
  Tensor row, column, all;         // of a matrix row and column, else all
  Tensor gradient{}, by_row{}, by_column{}, row_sum{}, size{}, update{}, update_size{};

  bool is_matrix() const { return row.defined(); }
};

class Adafactor final : public assay::Optimizer {
 public:
  struct Config {
    double lr = 1e-2, decay_exponent = 0.8, eps1 = 1e-30, eps2 = 1e-3, clip = 1.0, weight_decay = 0.0;
    bool scale_parameter = true;
  };
  static void describe(auto& schema) {
    schema.doc("Adam's second moment factored by rows and columns: two vectors per matrix; no momentum.")
        .paper("arXiv:1804.04235")
        .param("lr", &Config::lr,
               "Peak learning rate; with scale_parameter relative to the parameter's root mean square.", 0)
        .param("decay_exponent", &Config::decay_exponent,
               "Decay rate of the second moment at update t: 1 - t^-decay_exponent.", 0, 1)
        .param("eps1", &Config::eps1,
               "Added to squared gradients. If it is below the square of their rounding error, rounding alone "
               "moves parameters.",
               1e-37, 1)
        .param("eps2", &Config::eps2, "Smallest root mean square of a parameter that the rate is relative to.", 0)
        .param("clip", &Config::clip, "Root mean square above which a parameter's update is scaled down.", 1e-6)
        .param("weight_decay", &Config::weight_decay,
               "Weight decay per update, times the learning rate, of parameters that decay.", 0)
        .param("scale_parameter", &Config::scale_parameter,
               "Whether the rate is relative to the parameter's root mean square.");
  }
  explicit Adafactor(const Config& config) : config_(config) {}

  double peak_rate() const override { return config_.lr; }

  void attach(std::vector<assay::Parameter>& parameters, const assay::Mesh& mesh) override {
    mesh_ = &mesh;
    for (auto& parameter : parameters) {
      const auto& value = parameter.value;
      const auto options = value.options().requires_grad(false);
      const auto split = parameter.spec.shard_dim;
      const double ranks = split < 0 ? 1 : mesh.tensor().size();
      const auto size = [&](int64_t dim) {  // without padding rows of dimension 0, which are zeros
        if (dim == 0 && parameter.spec.drawn_rows >= 0) return static_cast<double>(parameter.spec.drawn_rows);
        return static_cast<double>(value.size(dim)) * (split == dim ? ranks : 1);
      };
      Entry entry{.parameter = &parameter,
                  .split = split,
                  .elements = 1,
                  .rows = 0,
                  .columns = 0,
                  .row = {},
                  .column = {},
                  .all = {}};
      for (int64_t dim = 0; dim < value.dim(); ++dim) entry.elements *= size(dim);
      if (value.dim() == 2) {
        entry.rows = size(0);
        entry.columns = size(1);
        entry.row = at::zeros({value.size(0)}, options);
        entry.column = at::zeros({value.size(1)}, options);
      } else {
        entry.all = at::zeros(value.sizes(), options);
      }
      entries_.push_back(std::move(entry));
    }
    if (!entries_.empty()) step_ = at::zeros({}, at::kDouble);
  }

  void step(double lr, double decay_multiplier) override {
    if (entries_.empty()) return;
    const c10::NoGradGuard no_grad;
    step_.add_(1);
    const double keep = 1.0 - std::pow(step_.item<double>(), -config_.decay_exponent);
    std::vector<Tensor*> parts;  // to be summed over the ranks
    for (auto& entry : entries_) take_gradient(entry, keep, parts);
    all_reduce_parts(parts);
    parts.clear();
    for (auto& entry : entries_) compute_update(entry, keep, parts);
    all_reduce_parts(parts);
    for (auto& entry : entries_) apply(entry, lr, config_.weight_decay * decay_multiplier);
  }

  std::vector<State> state() override {
    std::vector<State> state;
    for (size_t i = 0; i < entries_.size(); ++i) {
      const auto& entry = entries_[i];
      const auto parameter = static_cast<int64_t>(i);
      if (entry.is_matrix()) {
        state.push_back({"exp_avg_sq_row", parameter, entry.row, entry.split == 0 ? 0 : -1});
        state.push_back({"exp_avg_sq_col", parameter, entry.column, entry.split == 1 ? 0 : -1});
      } else {
        state.push_back({"exp_avg_sq", parameter, entry.all});
      }
    }
    if (step_.defined()) state.push_back({"step", -1, step_});
    return state;
  }

 private:
  static void decay(Tensor& moment, double keep, const Tensor& sum, double count) {
    moment.mul_(keep).add_(sum, (1.0 - keep) / count);
  }

  // Where no other rank holds a part of a row, R is complete at once, and its sum goes with the first collective.
  void take_gradient(Entry& entry, double keep, std::vector<Tensor*>& parts) {
    const auto& value = entry.parameter->value;
    entry.gradient = value.grad().defined() ? value.grad() : at::zeros_like(value.detach());
    if (config_.scale_parameter) {
      entry.size = value.detach().square().sum();
      if (entry.split >= 0) parts.push_back(&entry.size);
    }
    const auto squares = entry.gradient.square().add_(config_.eps1);
    if (!entry.is_matrix()) return decay(entry.all, keep, squares, 1);
    entry.by_row = squares.sum(1);
    entry.by_column = squares.sum(0);
    if (entry.split == 1) return parts.push_back(&entry.by_row);
    decay(entry.row, keep, entry.by_row, entry.columns);
    entry.row_sum = entry.row.sum();
    if (entry.split == 0) parts.insert(parts.end(), {&entry.by_column, &entry.row_sum});
  }

  void compute_update(Entry& entry, double keep, std::vector<Tensor*>& parts) {
    if (!entry.is_matrix()) {
      entry.update = entry.gradient * entry.all.rsqrt();
    } else {
      if (entry.split == 1) {
        decay(entry.row, keep, entry.by_row, entry.columns);
        entry.row_sum = entry.row.sum();
      }
      decay(entry.column, keep, entry.by_column, entry.rows);
      // One root at a time: the product of two moments may underflow.
      const auto relative_row = entry.row / (entry.row_sum / entry.rows);
      entry.update = entry.gradient * relative_row.rsqrt().unsqueeze(1) * entry.column.rsqrt();
    }
    entry.update_size = entry.update.square().sum();
    if (entry.split >= 0) parts.push_back(&entry.update_size);
  }

  // No value is read back from the device.
  void apply(Entry& entry, double lr, double weight_decay) const {
    auto& [spec, value] = *entry.parameter;
    const auto rms = [&](const Tensor& sum) { return (sum / entry.elements).sqrt(); };
    const double rate = lr * spec.rate_scale;
    if (spec.decay && weight_decay > 0) value.mul_(1.0 - rate * weight_decay);
    auto factor = (rms(entry.update_size) / config_.clip).clamp_min(1.0).reciprocal() * rate;
    if (config_.scale_parameter) factor = factor * rms(entry.size).clamp_min(config_.eps2);
    value.sub_(entry.update.mul_(factor));
    for (auto* used : {&entry.gradient, &entry.by_row, &entry.by_column, &entry.row_sum, &entry.size, &entry.update,
                       &entry.update_size})
      *used = Tensor();
  }

  // In one collective, in fp64.
  void all_reduce_parts(const std::vector<Tensor*>& parts) const {
    auto& axis = mesh_->tensor();
    if (axis.size() == 1 || parts.empty()) return;
    std::vector<Tensor> flat;
    for (const auto* part : parts) flat.push_back(part->reshape({-1}).to(at::kDouble));
    const auto sums = at::cat(flat);
    assay::all_reduce(sums, axis);
    int64_t begin = 0;
    for (auto* part : parts) {
      *part = sums.narrow(0, begin, part->numel()).view(part->sizes()).to(part->scalar_type());
      begin += part->numel();
    }
  }

  Config config_;
  const assay::Mesh* mesh_ = nullptr;
  std::vector<Entry> entries_;
  Tensor step_;
};

}  // namespace

ASSAY_PLUGIN("adafactor", "1.0.0", assay::component<Adafactor>("adafactor"))
