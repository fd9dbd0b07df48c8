// Polynomial decay from the end of a linear warm-up: fairseq's polynomial_decay, Hugging Face's
// get_polynomial_decay_schedule_with_warmup (there the floor is an absolute rate, here a ratio of the peak).
//   fall(r) = (1 - r)^power in the frame of ../warmup_decay.h
#include <cmath>

#include "../warmup_decay.h"
#include "assay/plugin.h"

namespace {

class Polynomial final : public assay::Scheduler {
 public:
  struct Config {
    assay::Duration warmup{0, "steps"}, length{100, "%"};
    double power = 1.0, start = 0.0, floor = 0.0;
  };
  static void describe(auto& schema) {
    schema.doc("Linear warm-up to the peak rate, then polynomial decay, (1 - r)^power, to floor * peak.")
        .param("warmup", &Config::warmup, "Length of the linear warm-up W; its first update has rate start * peak.", 0)
        .param("power", &Config::power, "Exponent of 1 - r, the remaining share of the decay; 1 is linear decay.", 0.01)
        .param("start", &Config::start, "Rate at the first step of the warm-up, as a ratio of the peak.", 0, 1)
        .param("floor", &Config::floor, "Rate at the end, as a ratio of the peak.", 0, 1)
        .param("length", &Config::length, "Step T at which the decay ends, warm-up included.", 0);
  }
  explicit Polynomial(const Config& config)
      : frame_{config.warmup, config.length, config.start, config.floor}, power_(config.power) {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    return frame_.falling("polynomial", step, run, [&](double r) { return std::pow(1.0 - r, power_); });
  }

 private:
  WarmupDecay frame_;
  double power_;
};

}  // namespace

ASSAY_PLUGIN("polynomial", "1.0.0", assay::component<Polynomial>("polynomial"))
