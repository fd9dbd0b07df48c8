// Encodes arbitrary bytes as text that JSON can hold, and decodes them: each byte maps to the code point of the same
// value (Latin-1).
#pragma once

#include <string>
#include <string_view>

namespace assay::base {

inline std::string text_of_bytes(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    if (byte >= 0x80) text += static_cast<char>(0xC0 | byte >> 6);
    text += static_cast<char>(byte >= 0x80 ? 0x80 | (byte & 0x3F) : byte);
  }
  return text;
}

// The inverse of text_of_bytes.
inline std::string bytes_of_text(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80 && i + 1 < text.size())
      bytes += static_cast<char>((byte & 0x03) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F));
    else
      bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace assay::base
