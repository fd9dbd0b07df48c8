// BERT's schedule: google-research/bert at eedf571, optimization.py, create_optimizer.
//   multiplier(s) = s / W                 for s < W
//                 = 1 - min(s, T) / T     from W on: the decay counts from step 0, not from W
// So with W > 0 the first update has rate 0, the peak is never reached, and at s = W the rate drops from (W-1)/W to
// 1 - W/T of it. `linear`, which is Hugging Face's, has neither.
#include "../warmup_decay.h"
#include "assay/plugin.h"

namespace {

class Bert final : public assay::Scheduler {
 public:
  struct Config {
    assay::Duration warmup{10, "%"}, length{100, "%"};
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "BERT's schedule: linear warm-up, then linear decay to 0 counted from step 0, so the rate drops "
            "where the warm-up ends.")
        .paper("arXiv:1810.04805")
        .param("warmup", &Config::warmup, "Length of the linear warm-up W; its first update has rate 0.", 0)
        .param("length", &Config::length, "Step T at which the rate reaches 0, counted from step 0.", 0);
  }
  explicit Bert(const Config& config) : frame_{config.warmup, config.length} {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    const auto [W, T] = frame_.ends("bert", run);
    if (step < W) return WarmupDecay::warmed(0, step, W);
    return step >= T ? 0.0 : 1.0 - static_cast<double>(step) / static_cast<double>(T);
  }

 private:
  WarmupDecay frame_;
};

}  // namespace

ASSAY_PLUGIN("bert", "1.0.0", assay::component<Bert>("bert"))
