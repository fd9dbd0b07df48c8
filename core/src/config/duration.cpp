#include "config/duration.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace assay::config {

std::string Duration::text() const {
  if (unit == Unit::kPercent) return fmt::format("{}%", amount);
  return fmt::format("{} {}", static_cast<int64_t>(amount), unit == Unit::kSteps ? "steps" : "tokens");
}

std::optional<Duration> parse_duration(std::string_view text) {
  Duration duration;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), duration.amount);
  if (error != std::errc()) return std::nullopt;
  auto unit = text.substr(static_cast<size_t>(end - text.data()));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (unit == "%") {
    duration.unit = Duration::Unit::kPercent;
  } else if (unit == "steps" || unit == "step") {
    duration.unit = Duration::Unit::kSteps;
  } else if (unit == "tokens" || unit == "token") {
    duration.unit = Duration::Unit::kTokens;
  } else {
    return std::nullopt;
  }
  const bool percent = duration.unit == Duration::Unit::kPercent;
  const bool whole = duration.amount == std::floor(duration.amount);
  if (!(duration.amount >= 0 && duration.amount <= (percent ? 1e4 : 1e15)) || (!percent && !whole)) return std::nullopt;
  return duration;
}

int64_t duration_steps(const Duration& duration, int64_t steps, int64_t tokens_per_step) {
  if (duration.amount == 0) return 0;
  int64_t count = static_cast<int64_t>(duration.amount);
  if (duration.unit == Duration::Unit::kTokens) count /= std::max<int64_t>(tokens_per_step, 1);
  // The small term keeps 7% of 100 at 7 although 7 * 100 / 100.0 may fall a rounding short for other percentages.
  if (duration.unit == Duration::Unit::kPercent)
    count = static_cast<int64_t>(std::floor(duration.amount * static_cast<double>(steps) / 100 + 1e-9));
  return std::max<int64_t>(count, 1);
}

}  // namespace assay::config
