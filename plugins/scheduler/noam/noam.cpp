// "Noam": the schedule of the Transformer paper. Vaswani et al. 2017, arXiv:1706.03762, sec. 5.3 (eq. 3).
//   multiplier(s) = width^-0.5 * min(n^-0.5, n * W^-1.5),  n = s + 1, which counts from 1 for 0 has no inverse root
// The rate is absolute, not a ratio of a peak: optimizer.lr multiplies it and is 1 in the paper. The highest rate,
// at n = W, is (width * W)^-0.5.
#include <algorithm>
#include <cmath>

#include "assay/plugin.h"
#include "assay/scheduler.h"

namespace {

class Noam final : public assay::Scheduler {
 public:
  struct Config {
    int64_t width = 512;
    assay::Duration warmup{4000, "steps"};
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "The schedule of the Transformer paper: width^-0.5 * min(step^-0.5, step * warmup^-1.5); use "
            "optimizer.lr = 1.")
        .paper("arXiv:1706.03762")
        .required("width", &Config::width, "Width of the model: \"= model.width\".", 1)
        .param("warmup", &Config::warmup, "Steps W until the highest rate.", 0);
  }
  explicit Noam(const Config& config) : config_(config) {}

  std::vector<std::string> notes() const override {
    return {
        "its rates are absolute, at most (width * W)^-0.5, and optimizer.lr multiplies them; it is 1 in "
        "the paper"};
  }

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    const auto n = static_cast<double>(step + 1);
    const auto W = static_cast<double>(config_.warmup.steps(run.steps, run.tokens_per_step));
    const double fall = 1.0 / std::sqrt(n), rise = W > 0 ? n * std::pow(W, -1.5) : fall;
    return std::min(fall, rise) / std::sqrt(static_cast<double>(config_.width));
  }

 private:
  Config config_;
};

}  // namespace

ASSAY_PLUGIN("noam", "1.0.0", assay::component<Noam>("noam"))
