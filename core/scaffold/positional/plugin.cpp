// ScaffoldName: every head's scores fall with distance, each head by a slope that is learned.
#include "assay/plugin.h"

#include "assay/positional.h"

namespace {

using assay::Tensor;

class ScaffoldName final : public assay::Positional {
 public:
  // The only place where a default stands.
  struct Config {
    double slope = 0.1;
  };
  static void describe(auto& schema) {
    schema.doc("Adds -slope * distance to attention scores, with a learned slope for each head.")
        .param("slope", &Config::slope, "Every head's slope at the start.", 0, 10);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  void fit(const assay::AttentionShape& shape) override { heads_ = shape.heads; }

  // By its global shape; each tensor rank keeps the heads that are its own.
  void build(assay::Parameters& parameters) override {
    slope_H_ = parameters.add(
        {.name = "slope", .shape = {heads_}, .shard_dim = 0, .init = assay::Init::constant(config_.slope)});
  }

  assay::AttentionBias attention_bias(const assay::AttentionContext&) const override {
    assay::AttentionBias bias;
    bias.slopes_H = slope_H_;
    return bias;
  }

 private:
  Config config_;
  int64_t heads_ = 0;
  Tensor slope_H_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
