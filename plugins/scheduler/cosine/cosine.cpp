// Cosine decay after a linear warm-up: Megatron's "cosine" (../warmup_decay.h); with floor 0.1 and no warm-up the
// schedule of Hoffmann et al. 2022, arXiv:2203.15556, app. B, whose cycle is `length`: "125%" overshoots the run.
//   fall(r) = (1 + cos(pi r)) / 2
#include <cmath>

#include "../warmup_decay.h"
#include "assay/plugin.h"

namespace {

class Cosine final : public assay::Scheduler {
 public:
  struct Config {
    assay::Duration warmup{0, "steps"};
    double start = 0.0, floor = 0.1;
    assay::Duration length{100, "%"};
  };
  static void describe(auto& schema) {
    schema.doc("Linear warm-up to the peak rate, then cosine decay to floor * peak.")
        .paper("arXiv:2203.15556")
        .param("warmup", &Config::warmup, "Length of the linear warm-up W; its first update has rate start * peak.", 0)
        .param("start", &Config::start, "Rate at the first step of the warm-up, as a ratio of the peak.", 0, 1)
        .param("floor", &Config::floor, "Rate at the end, as a ratio of the peak.", 0, 1)
        .param("length", &Config::length,
               "Step T at which the cosine ends, warm-up included; above 100% the run ends before it.", 0);
  }
  explicit Cosine(const Config& config) : frame_{config.warmup, config.length, config.start, config.floor} {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    return frame_.falling("cosine", step, run, [](double r) { return 0.5 * (1.0 + std::cos(M_PI * r)); });
  }

 private:
  WarmupDecay frame_;
};

}  // namespace

ASSAY_PLUGIN("cosine", "1.0.0", assay::component<Cosine>("cosine"))
