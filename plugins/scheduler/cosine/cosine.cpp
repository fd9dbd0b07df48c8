// Cosine decay after a linear warm-up: Megatron's "cosine" (OptimizerParamScheduler); with floor 0.1 and no warm-up the
// schedule of Hoffmann et al. 2022, arXiv:2203.15556, app. B.
//   multiplier(s) = s / W                                              for s <= W
//                 = floor + (1 - floor) * (1 + cos(pi (s-W)/(T-W)))/2  for W < s <= T
//                 = floor                                              for s > T
// s = updates done before this one, from 0: with W > 0 the first update has rate 0, and update T would be the first at
// the floor.
#include <cmath>

#include "assay/plugin.h"
#include "assay/scheduler.h"

namespace {

class Cosine final : public assay::Scheduler {
 public:
  struct Config {
    assay::Duration warmup{0, "steps"};
    double floor = 0.1;
    assay::Duration length{100, "%"};
  };
  static void describe(auto& schema) {
    schema.doc("Linear warm-up from 0 to the peak rate, then half a cosine down to floor * peak.")
        .paper("arXiv:2203.15556")
        .param("warmup", &Config::warmup, "Length of the linear warm-up W; its first update has rate 0.", 0)
        .param("floor", &Config::floor, "Rate at the end, as a ratio of the peak.", 0, 1)
        .param("length", &Config::length, "Where the cosine ends, T, warm-up included; the run's own length is best.",
               0);
  }
  explicit Cosine(const Config& config) : config_(config) {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    const int64_t warmup = config_.warmup.steps(run.steps, run.tokens_per_step);
    const int64_t length = config_.length.steps(run.steps, run.tokens_per_step);
    if (warmup >= length)
      throw assay::UserError("cosine: a warm-up of " + std::to_string(warmup) +
                             " steps leaves nothing of a length of " + std::to_string(length) +
                             " steps; make warmup shorter");
    if (step < warmup) return static_cast<double>(step) / static_cast<double>(warmup);
    if (step > length) return config_.floor;
    const double progress = static_cast<double>(step - warmup) / static_cast<double>(length - warmup);
    return config_.floor + (1.0 - config_.floor) * 0.5 * (1.0 + std::cos(M_PI * progress));
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("cosine", "1.0.0", assay::component<Cosine>("cosine"))
