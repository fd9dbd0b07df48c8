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

// Percentages may be over 100, up to 10,000: a schedule can be longer than the run. Steps and tokens are whole.
std::optional<Duration> parse_duration(std::string_view text);

// What a plan says of a duration that is more than nothing and less than a step, for a step is then taken in its place:
// "5% of 19 steps are 0.95 steps; 1 step is taken". Empty for others.
std::string rounding_note(const Duration& duration, int64_t steps, int64_t tokens_per_step);

}  // namespace assay::base
