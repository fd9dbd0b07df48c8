// Constant learning rate after an optional linear warm-up, as Megatron's "constant" (OptimizerParamScheduler).
//   multiplier(s) = s / W  for s < W,  1 from W on;     s = updates done before this one, so with W > 0 the first is a
//   no-op.
#include "assay/plugin.h"
#include "assay/scheduler.h"

namespace {

class Constant final : public assay::Scheduler {
 public:
  struct Config {
    assay::Duration warmup{0, "steps"};
  };
  static void describe(auto& schema) {
    schema.doc("The peak rate throughout, after a linear warm-up from 0.")
        .paper("Megatron-LM")
        .param("warmup", &Config::warmup, "Length of the linear warm-up; its first update has rate 0.", 0);
  }
  explicit Constant(const Config& config) : config_(config) {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    const int64_t warmup = config_.warmup.steps(run.steps, run.tokens_per_step);
    return step < warmup ? static_cast<double>(step) / static_cast<double>(warmup) : 1.0;
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("constant", "1.0.0", assay::component<Constant>("constant"))
