// "Noam": the transformer's own schedule, Vaswani et al. 2017, arXiv:1706.03762, sec. 5.3 (eq. 3).
//   multiplier(s) = width^-0.5 * min(n^-0.5, n * W^-1.5),  n = s + 1: counted from 1, as 0 has no inverse root
// The rate is absolute, not a ratio of a peak: optimizer.lr is the factor in front of it, 1 in the paper. Its highest
// rate, at n = W, is (width * W)^-0.5.
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
        .doc("The transformer's own: width^-0.5 times the lower of step^-0.5 and step * warmup^-1.5; optimizer.lr = 1.")
        .paper("arXiv:1706.03762")
        .required("width", &Config::width, "Of the model: \"= model.width\".", 1)
        .param("warmup", &Config::warmup, "Steps up to the highest rate, W.", 0);
  }
  explicit Noam(const Config& config) : config_(config) {}

  std::vector<std::string> notes() const override {
    return {
        "its rates are absolute, (width * W)^-0.5 at most, and optimizer.lr is the factor in front: 1 in the paper"};
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
