// Numbers in text.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace assay::base {

// The whole text as one number in decimal notation, as std::from_chars reads it; nothing where anything is before or
// after it, or where Number cannot hold it.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace assay::base
