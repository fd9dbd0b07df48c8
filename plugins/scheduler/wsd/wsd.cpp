// Warm-up, stable, decay: Megatron's "wsd" (OptimizerParamScheduler); Hu et al. 2024, arXiv:2404.06395.
//   multiplier(s) = floor + (1 - floor) * c,  c = 1 up to s = T - Td, and from there with q = (s - (T - Td)) / Td
//     linear 1 - q;  cosine (1 + cos(pi q)) / 2;  exponential 2 * 0.5^q - 1;  minus_sqrt 1 - sqrt(q)
#include <cmath>
#include <string>

#include "../warmup_decay.h"
#include "assay/plugin.h"

namespace {

class WarmupStableDecay final : public assay::Scheduler {
 public:
  struct Config {
    assay::Duration warmup{0, "steps"}, decay{10, "%"}, length{100, "%"};
    std::string style = "linear";
    double start = 0.0, floor = 0.0;
  };
  static void describe(auto& schema) {
    schema.doc("Linear warm-up, then the peak rate for most of the run, then a short decay to floor * peak.")
        .paper("arXiv:2404.06395")
        .param("warmup", &Config::warmup, "Length of the linear warm-up W; its first update has rate start * peak.", 0)
        .param("decay", &Config::decay,
               "Length Td of the decay at the end; a decay of one step has the rate half-way down.", 0)
        .param("style", &Config::style, "Shape of the decay.", {"linear", "cosine", "exponential", "minus_sqrt"})
        .param("start", &Config::start, "Rate at the first step of the warm-up, as a ratio of the peak.", 0, 1)
        .param("floor", &Config::floor, "Rate at the end, as a ratio of the peak.", 0, 1)
        .param("length", &Config::length, "Step T at which the decay ends, warm-up included.", 0);
  }
  explicit WarmupStableDecay(const Config& config)
      : frame_{config.warmup, config.length, config.start, config.floor}, decay_(config.decay), style_(config.style) {}

  double multiplier(int64_t step, const assay::RunLength& run) const override {
    const auto [W, T] = frame_.ends("wsd", run);
    const int64_t Td = decay_.steps(run.steps, run.tokens_per_step), begin = T - Td;
    if (begin < W)
      throw assay::UserError("wsd: warmup (" + std::to_string(W) + " steps) and decay (" + std::to_string(Td) +
                             " steps) exceed length (" + std::to_string(T) + " steps); shorten one of them");
    return frame_.framed("wsd", step, run, [&](double s, double, double) {
      if (step < begin || (step == begin && Td != 1)) return 1.0;
      // A decay of one step has one update, whose rate is half-way down, like that of the last update of a two-step
      // decay.
      const double q = step == begin ? 0.5 : (s - static_cast<double>(begin)) / static_cast<double>(Td);
      return frame_.floor + (1.0 - frame_.floor) * left(q);
    });
  }

 private:
  // The share of the way from the floor to the peak that is left at a share q of the decay.
  double left(double q) const {
    if (style_ == "linear") return 1.0 - q;
    if (style_ == "cosine") return 0.5 * (1.0 + std::cos(M_PI * q));
    if (style_ == "exponential") return 2.0 * std::pow(0.5, q) - 1.0;
    return 1.0 - std::sqrt(q);
  }

  WarmupDecay frame_;
  assay::Duration decay_;
  std::string style_;
};

}  // namespace

ASSAY_PLUGIN("wsd", "1.1.0", assay::component<WarmupStableDecay>("wsd"))
