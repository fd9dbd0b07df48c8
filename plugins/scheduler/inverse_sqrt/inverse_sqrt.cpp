// The inverse square root of the step after a linear warm-up: Megatron's "inverse-square-root"
// (OptimizerParamScheduler), fairseq's inverse_sqrt. Rates are relative to the peak; those of `noam` follow
// from the model's width.
//   multiplier(s) = max(floor, sqrt(W) / sqrt(s)),  W and s at least 1; after T it is floor, as in Megatron
#include <algorithm>
#include <cmath>

#include "../warmup_decay.h"
#include "assay/plugin.h"

namespace {

class InverseSqrt final : public assay::Scheduler {
 public:
  struct Config {
    assay::Duration warmup{5, "%"}, length{100, "%"};
    double start = 0.0, floor = 0.0;
  };
  static void describe(auto& schema) {
    schema.doc("Linear warm-up to the peak rate, then decay with the inverse square root of the step.")
        .param("warmup", &Config::warmup, "Length of the linear warm-up W; its first update has rate start * peak.", 0)
        .param("start", &Config::start, "Rate at the first step of the warm-up, as a ratio of the peak.", 0, 1)
        .param("floor", &Config::floor, "Lowest rate, as a ratio of the peak; also the rate after length.", 0, 1)
        .param("length", &Config::length, "Step T after which the rate drops to the floor, warm-up included.", 0);
  }
  explicit InverseSqrt(const Config& config) : frame_{config.warmup, config.length, config.start, config.floor} {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    return frame_.framed("inverse_sqrt", step, run, [&](double s, double W, double) {
      return std::max(frame_.floor, std::sqrt(std::max(W, 1.0)) / std::sqrt(std::max(s, 1.0)));
    });
  }

 private:
  WarmupDecay frame_;
};

}  // namespace

ASSAY_PLUGIN("inverse_sqrt", "1.0.0", assay::component<InverseSqrt>("inverse_sqrt"))
