#include "base/text.h"

#include <algorithm>

namespace assay::base {

std::string grouped(std::int64_t number) {
  auto digits = std::to_string(number);
  const std::size_t first = digits.front() == '-' ? 1 : 0;
  for (auto at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string plural(std::int64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char one : text) quoted += one == '\'' ? "'\\''" : std::string(1, one);
  return quoted + "'";
}

}  // namespace assay::base
