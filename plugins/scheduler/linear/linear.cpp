// Linear decay from the end of a linear warm-up: Hugging Face's get_linear_schedule_with_warmup (floor 0, start 0),
// fairseq's polynomial_decay of power 1 and Megatron's "linear". The decay counts from the end of the warm-up, so the
// peak is reached and nothing jumps there; BERT's own schedule, which counts from step 0, is another scheduler.
#include "../warmup_decay.h"
#include "assay/plugin.h"

namespace {

class Linear final : public assay::Scheduler {
 public:
  struct Config {
    assay::Duration warmup{0, "steps"};
    double start = 0.0, floor = 0.0;
    assay::Duration length{100, "%"};
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Linear warm-up to the peak rate, then linear decay to floor * peak, counted from the end of the "
            "warm-up.")
        .param("warmup", &Config::warmup, "Length of the linear warm-up W; its first update has rate start * peak.", 0)
        .param("start", &Config::start, "Rate at the first step of the warm-up, as a ratio of the peak.", 0, 1)
        .param("floor", &Config::floor, "Rate at the end, as a ratio of the peak.", 0, 1)
        .param("length", &Config::length, "Step T at which the decay ends, warm-up included.", 0);
  }
  explicit Linear(const Config& config) : frame_{config.warmup, config.length, config.start, config.floor} {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    return frame_.falling("linear", step, run, [](double r) { return 1.0 - r; });
  }

 private:
  WarmupDecay frame_;
};

}  // namespace

ASSAY_PLUGIN("linear", "1.0.0", assay::component<Linear>("linear"))
