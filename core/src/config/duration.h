// "100 steps", "2e6 tokens", "5%": a length of training, in one canonical spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay::config {

struct Duration {
  enum class Unit { kSteps, kTokens, kPercent };
  Unit unit = Unit::kSteps;
  double amount = 0;  // whole for steps and tokens

  std::string text() const;  // "100 steps", "2000000 tokens", "5%"
};

inline constexpr const char* kDurationForm = "duration (\"100 steps\", \"2e6 tokens\" or \"5%\")";

// Percentages may be over 100, up to 10,000: a schedule can be longer than the run.
std::optional<Duration> parse_duration(std::string_view text);

// Updates of the weights in that time, rounded down; at least one unless the duration is zero.
int64_t duration_steps(const Duration& duration, int64_t steps, int64_t tokens_per_step);

}  // namespace assay::config
