// The letters that byte-level vocabularies write bytes as: printable Latin-1 characters stand for themselves, the 68
// other bytes follow in order from U+0100. Radford et al. 2019; bytes_to_unicode of the authors' encoder.py.
#pragma once

#include <array>
#include <string>

namespace {

inline std::array<std::string, 256> letters_of_bytes() {
  std::array<std::string, 256> letters;
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
    const unsigned code = printable ? byte : next++;
    if (code >= 128) letters[byte] = static_cast<char>(0xC0 | (code >> 6));
    letters[byte] += static_cast<char>(code >= 128 ? 0x80 | (code & 0x3F) : code);
  }
  return letters;
}

}  // namespace
