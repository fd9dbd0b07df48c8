// Weight decay that grows over the run: Megatron's weight_decay_incr_style (OptimizerParamScheduler), around any
// schedule of the rate. optimizer.weight_decay is what it grows to.
//   decay_multiplier(s) = start + (1 - start) * c(min(s / T, 1)),  c(r) = r or (1 - cos(pi r)) / 2
#include <algorithm>
#include <cmath>
#include <string>

#include "assay/plugin.h"
#include "assay/scheduler.h"

namespace {

class DecayRamp final : public assay::Scheduler {
 public:
  struct Config {
    assay::Child<assay::Scheduler> rate;
    double start = 0.0;
    std::string style = "linear";
    assay::Duration length{100, "%"};
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Weight decay that grows from start * weight_decay to weight_decay, around any learning-rate "
            "schedule.")
        .required("rate", &Config::rate, "Schedule of the learning rate.")
        .param("start", &Config::start, "Weight decay at the first step, as a ratio of optimizer.weight_decay.", 0, 1)
        .param("style", &Config::style, "Shape of the growth.", {"linear", "cosine"})
        .param("length", &Config::length, "Step T from which weight decay has its full value.", 0);
  }
  explicit DecayRamp(const Config& config) : config_(config) {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    return config_.rate->multiplier(step, run);
  }
  double decay_multiplier(int64_t step, const assay::RunLength& run) const override {
    const int64_t T = config_.length.steps(run.steps, run.tokens_per_step);
    const double r = step >= T ? 1.0 : static_cast<double>(step) / static_cast<double>(T);
    const double grown = config_.style == "linear" ? r : 0.5 * (1.0 - std::cos(M_PI * r));
    return (config_.start + (1.0 - config_.start) * grown) * config_.rate->decay_multiplier(step, run);
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("decay_ramp", "1.0.0", assay::component<DecayRamp>("decay_ramp"))
