#include "base/duration.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace assay::base {

std::string text_of(const Duration& duration) {
  if (duration.unit == "%") return fmt::format("{}%", duration.amount);
  return fmt::format("{} {}", static_cast<int64_t>(duration.amount), duration.unit);
}

std::optional<Duration> parse_duration(std::string_view text) {
  Duration duration;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), duration.amount);
  if (error != std::errc()) return std::nullopt;
  auto unit = text.substr(static_cast<size_t>(end - text.data()));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (unit == "%") {
    duration.unit = "%";
  } else if (unit == "steps" || unit == "step") {
    duration.unit = "steps";
  } else if (unit == "tokens" || unit == "token") {
    duration.unit = "tokens";
  } else {
    return std::nullopt;
  }
  const bool percent = duration.unit == "%";
  const bool whole = duration.amount == std::floor(duration.amount);
  if (!(duration.amount >= 0 && duration.amount <= (percent ? 1e4 : 1e15)) || (!percent && !whole)) return std::nullopt;
  return duration;
}

std::string rounding_note(const Duration& duration, int64_t steps, int64_t tokens_per_step) {
  const double exact = duration.exact_steps(steps, tokens_per_step);
  if (duration.amount == 0 || exact + 1e-9 >= 1 || steps == 0) return "";
  const auto whole = duration.unit == "tokens" ? fmt::format("at {} tokens per step", tokens_per_step)
                                               : fmt::format("of {} step{}", steps, steps == 1 ? "" : "s");
  return fmt::format("{} {} is {:.2g} steps, rounded up to 1 step", text_of(duration), whole, exact);
}

}  // namespace assay::base
