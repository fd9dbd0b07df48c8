// ScaffoldName: the rate falls from its peak to a floor along a power of what is left of the run.
#include "assay/plugin.h"

#include <algorithm>
#include <cmath>

#include "assay/scheduler.h"

namespace {

class ScaffoldName final : public assay::Scheduler {
 public:
  // The only place where a default stands.
  struct Config {
    double power = 2.0;
    double floor = 0.0;
  };
  static void describe(auto& schema) {
    schema.doc("Falls from the peak to a floor along a power of what is left of the run.")
        .param("power", &Config::power, "1 is a straight line.", 0.1, 10)
        .param("floor", &Config::floor, "Ratio of the peak at the end.", 0, 1);
  }
  explicit ScaffoldName(const Config& config) : config_(config) {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    const double done = std::min(1.0, static_cast<double>(step) / static_cast<double>(run.steps));
    return config_.floor + (1 - config_.floor) * std::pow(1 - done, config_.power);
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("scaffold_name", "0.1.0", assay::component<ScaffoldName>("scaffold_name"))
