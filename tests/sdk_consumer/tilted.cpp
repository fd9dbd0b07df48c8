// A positional scheme with learned parameters: one slope per head (sharded by heads), and a direction along which
// embeddings move with their position (replicated).
#include <ATen/ops/exp.h>

#include "assay/plugin.h"
#include "assay/positional.h"

namespace {

using assay::Tensor;

class Tilted final : public assay::Positional {
 public:
  struct Config {
    double slope = 0.25;
  };
  static void describe(auto& schema) {
    schema.doc("Learned slopes over distances, and a learned direction for positions.")
        .param("slope", &Config::slope, "Every head's slope at the start.", 1e-6, 1);
  }
  explicit Tilted(const Config& config) : config_(config) {}

  void fit(const assay::AttentionShape& shape) override { heads_ = shape.heads, width_ = shape.width; }
  void build(assay::Parameters& parameters) override {
    log_slope_H_ = parameters.add({.name = "log_slope",
                                   .shape = {heads_},
                                   .shard_dim = 0,
                                   .init = assay::Init::constant(std::log(config_.slope))});
    direction_D_ = parameters.add({.name = "direction", .shape = {width_}, .init = assay::Init::normal(0.02)});
  }
  Tensor embed(const Tensor& x_BTD, const Tensor& positions_BT) const override {
    return x_BTD + positions_BT.to(x_BTD.scalar_type()).unsqueeze(-1) * 0.01 * direction_D_;
  }
  assay::AttentionBias attention_bias(const assay::AttentionContext&) const override {
    assay::AttentionBias bias;
    bias.slopes_H = log_slope_H_.exp();
    return bias;
  }

 private:
  Config config_;
  int64_t heads_ = 0, width_ = 0;
  Tensor log_slope_H_, direction_D_;
};

}  // namespace

ASSAY_PLUGIN("tilted", "1.0.0", assay::component<Tilted>("tilted"))
