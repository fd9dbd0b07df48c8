// Cosine decay after a linear warm-up: Megatron's "cosine" (../warmup_decay.h, with start 0); with floor 0.1 and no
// warm-up the schedule of Hoffmann et al. 2022, arXiv:2203.15556, app. B.
//   fall(r) = (1 + cos(pi r)) / 2
#include <cmath>

#include "../warmup_decay.h"
#include "assay/plugin.h"

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
  explicit Cosine(const Config& config) : frame_{config.warmup, config.length, 0.0, config.floor} {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    return frame_.multiplier("cosine", step, run, [](double r) { return 0.5 * (1.0 + std::cos(M_PI * r)); });
  }

 private:
  WarmupDecay frame_;
};

}  // namespace

ASSAY_PLUGIN("cosine", "1.0.0", assay::component<Cosine>("cosine"))
