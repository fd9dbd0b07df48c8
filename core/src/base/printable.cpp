#include "base/printable.h"

#include <fmt/format.h>

#include <cstdint>

namespace assay::base {
namespace {

constexpr char32_t kInvalid = 0xFFFFFFFF;

struct Character {
  char32_t code;
  size_t size;  // in bytes
};

// The Unicode Standard, table 3-7: only shortest forms, no surrogates, nothing above U+10FFFF.
Character character_at(std::string_view text, size_t place) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[place + i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || place + size > text.size()) return {kInvalid, 1};
  char32_t code = first & (0xFFu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {kInvalid, 1};
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  const bool shortest = code >= (size == 2 ? 0x80u : size == 3 ? 0x800u : 0x10000u);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (!shortest || surrogate || code > 0x10FFFF) return {kInvalid, 1};
  return {code, size};
}

// Characters that end a line, move the cursor or change the direction of the surrounding text.
bool is_control(char32_t code) {
  const auto in = [&](char32_t first, char32_t last) { return code >= first && code <= last; };
  return code < 0x20 || in(0x7F, 0x9F) || code == 0x061C || code == 0x200E || code == 0x200F || in(0x2028, 0x202E) ||
         in(0x2066, 0x2069);
}

std::string escape_of(char32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  if (code == '\r') return "\\r";
  return code < 0x80 ? fmt::format("\\x{:02x}", static_cast<std::uint32_t>(code))
                     : fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code));
}

template <class IsEscaped>
std::string with_escapes(std::string_view text, IsEscaped is_escaped) {
  std::string result;
  for (size_t place = 0; place < text.size();) {
    const auto [code, size] = character_at(text, place);
    if (code == kInvalid)
      result += "\uFFFD";
    else if (is_escaped(code))
      result += escape_of(code);
    else
      result += text.substr(place, size);
    place += size;
  }
  return result;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  return with_escapes(text, [](char32_t) { return false; });
}

std::string printable(std::string_view text) { return with_escapes(text, is_control); }

std::string printable_lines(std::string_view text) {
  return with_escapes(text, [](char32_t code) { return is_control(code) && code != '\n' && code != '\t'; });
}

}  // namespace assay::base
