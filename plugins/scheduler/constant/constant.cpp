// Constant learning rate after an optional linear warm-up, as Megatron's "constant" (OptimizerParamScheduler).
//   multiplier(s) = start + (1 - start) * s / W  for s < W,  1 from W on;   s = number of updates before this one, so
//   with W > 0 and start 0 the first update is a no-op
#include "../warmup_decay.h"
#include "assay/plugin.h"

namespace {

class Constant final : public assay::Scheduler {
 public:
  struct Config {
    assay::Duration warmup{0, "steps"};
    double start = 0.0;
  };
  static void describe(auto& schema) {
    schema.doc("The peak rate throughout, after a linear warm-up.")
        .paper("Megatron-LM")
        .param("warmup", &Config::warmup, "Length of the linear warm-up W; its first update has rate start * peak.", 0)
        .param("start", &Config::start, "Rate at the first step of the warm-up, as a ratio of the peak.", 0, 1);
  }
  explicit Constant(const Config& config) : frame_{config.warmup, {100, "%"}, config.start} {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    const auto [W, T] = frame_.ends("constant", run);
    return step < W ? WarmupDecay::warmed(frame_.start, step, W) : 1.0;
  }

 private:
  WarmupDecay frame_;
};

}  // namespace

ASSAY_PLUGIN("constant", "1.0.0", assay::component<Constant>("constant"))
