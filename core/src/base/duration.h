// "100 steps", "2e6 tokens", "5%": a length of training, in one canonical spelling. The type is the SDK's, and so is
// the one rounding to steps, Duration::steps: what a plan says of a duration is what a plugin makes of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "assay/duration.h"

namespace assay::base {

std::string text_of(const Duration& duration);  // "100 steps", "2000000 tokens", "5%"

inline constexpr const char* kDurationForm = "duration (\"100 steps\", \"2e6 tokens\" or \"5%\")";

// Percentages may exceed 100, up to 10,000, because a schedule can be longer than the run. Steps and tokens must be
// whole numbers.
std::optional<Duration> parse_duration(std::string_view text);

// The note of a plan about a nonzero duration shorter than one step, which is rounded up to one step: "5% of 19 steps
// is 0.95 steps, rounded up to 1 step". Empty for other durations.
std::string rounding_note(const Duration& duration, int64_t steps, int64_t tokens_per_step);

}  // namespace assay::base
