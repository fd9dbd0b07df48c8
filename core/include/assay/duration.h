// A parameter type for a length of training: "100 steps", "2e6 tokens" or "5%" (of the run).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace assay {

struct Duration {
  double amount = 0;
  std::string unit = "steps";  // "steps", "tokens" or "%"

  // The duration in updates, not rounded, for a run of total_steps updates of tokens_per_step tokens each.
  double exact_steps(int64_t total_steps, int64_t tokens_per_step) const {
    return unit == "%"        ? amount * static_cast<double>(total_steps) / 100.0
           : unit == "tokens" ? amount / static_cast<double>(std::max<int64_t>(tokens_per_step, 1))
                              : amount;
  }

  // The duration in updates, rounded down, but at least 1 unless it is 0, so that a requested duration takes effect.
  int64_t steps(int64_t total_steps, int64_t tokens_per_step) const {
    if (amount == 0) return 0;
    const double exact = exact_steps(total_steps, tokens_per_step);
    return std::max<int64_t>(static_cast<int64_t>(exact + 1e-9), 1);  // 5% of 100 is 5, not 4.999..
  }
};

}  // namespace assay
