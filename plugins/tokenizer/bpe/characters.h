// UTF-8 to characters and their classes. The classes are a table of this plugin, so that pieces do not depend on the
// machine's Unicode version.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "unicode_classes.h"

namespace {

enum class CharacterClass : uint8_t { kOther, kLetter, kNumber, kWhiteSpace, kBroken };  // kBroken: not valid UTF-8

class CharacterClasses {
 public:
  // Stored in blocks, most of which are equal.
  static const CharacterClasses& table() {
    static const CharacterClasses made;
    return made;
  }

  CharacterClass of(uint32_t code) const { return blocks_[block_of_[code / kBlock]][code % kBlock]; }

 private:
  static constexpr uint32_t kBlock = 256, kCodes = 0x110000;
  using Block = std::array<CharacterClass, kBlock>;

  CharacterClasses() {
    std::vector<CharacterClass> all(kCodes, CharacterClass::kOther);
    const auto mark = [&](const auto& runs, CharacterClass kind) {
      for (const auto& [first, last] : runs)
        for (auto code = first; code <= last; ++code) all[code] = kind;
    };
    mark(kLetters, CharacterClass::kLetter);
    mark(kNumbers, CharacterClass::kNumber);
    mark(kWhiteSpace, CharacterClass::kWhiteSpace);
    for (uint32_t b = 0; b < kCodes / kBlock; ++b) {
      Block block;
      std::copy_n(all.begin() + b * kBlock, kBlock, block.begin());
      const auto found = std::find(blocks_.begin(), blocks_.end(), block);
      block_of_[b] = static_cast<uint16_t>(found - blocks_.begin());
      if (found == blocks_.end()) blocks_.push_back(block);
    }
  }

  std::array<uint16_t, kCodes / kBlock> block_of_;
  std::vector<Block> blocks_;
};

struct Character {
  CharacterClass kind;
  size_t length;  // in bytes; 1 for kBroken
};

// The character at `place`, which is within the text. Surrogates, overlong forms and truncated characters are broken.
inline Character character_at(const CharacterClasses& classes, std::string_view text, size_t place) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[place + i]); };
  const uint32_t first = byte(0);
  if (first < 0x80) return {classes.of(first), 1};
  constexpr Character kBroken{CharacterClass::kBroken, 1};
  const size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() - place < length) return kBroken;
  uint32_t code = first & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kBroken;
    code = code << 6 | (byte(i) & 0x3fu);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return kBroken;
  return {classes.of(code), length};
}

}  // namespace
