// Where fill-in-the-middle may cut a text: between characters, which are Unicode code points of UTF-8. A byte that is
// not valid UTF-8 counts as a character, so that every text can be cut without losing a byte.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assay/random.h"

namespace assay::fim {

inline bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Bytes of the character that begins with this byte; 0 where none does.
inline size_t announced(char byte) {
  const auto value = static_cast<unsigned char>(byte);
  return value < 0x80 ? 1 : value < 0xC2 ? 0 : value < 0xE0 ? 2 : value < 0xF0 ? 3 : value < 0xF5 ? 4 : 0;
}

// Bytes of the character at the beginning of a text that is not empty.
inline size_t character_at(std::string_view text) {
  const auto size = announced(text[0]);
  if (size == 0 || size > text.size()) return 1;
  for (size_t i = 1; i < size; ++i)
    if (!continues(text[i])) return 1;
  // Overlong forms, surrogates, and code points beyond the last.
  const auto first = static_cast<unsigned char>(text[0]), second = static_cast<unsigned char>(size > 2 ? text[1] : 0);
  const bool invalid = (first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
                       (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90);
  return invalid ? 1 : size;
}

// Offsets of all characters and of the end: one more than the number of characters.
inline std::vector<size_t> boundaries(std::string_view text) {
  std::vector<size_t> at{0};
  while (at.back() < text.size()) at.push_back(at.back() + character_at(text.substr(at.back())));
  return at;
}

// The boundaries where a text may be cut: those up to the first occurrence of `cut_before`, all where that is empty,
// and none where the text does not contain it.
inline std::vector<size_t> cut_places(std::string_view text, const std::string& cut_before) {
  const auto stop = cut_before.empty() ? text.size() : text.find(cut_before);
  if (stop == std::string_view::npos) return {};
  auto places = boundaries(text);
  places.erase(std::upper_bound(places.begin(), places.end(), stop), places.end());
  return places;
}

// Bytes at the beginning of a text that continue a character which the text before it began.
inline size_t fragment_in_front(std::string_view text) {
  size_t size = 0;
  while (size < text.size() && size < 3 && continues(text[size])) ++size;
  return size;
}

// Bytes at the end of a text that begin a character and do not complete it.
inline size_t fragment_behind(std::string_view text) {
  for (size_t size = 1; size <= text.size() && size <= 3; ++size) {
    const char byte = text[text.size() - size];
    if (!continues(byte)) return announced(byte) > size ? size : 0;
  }
  return 0;
}

// Two cuts among the places 0 .. places - 1, in order, by draws 1 and 2. With empty_parts they may be any two places,
// the same one included; otherwise they differ and are neither end, which needs at least four places.
inline std::pair<size_t, size_t> draw_cuts(size_t places, bool empty_parts, const Draws& draws) {
  size_t one = 0, other = 0;
  if (empty_parts) {
    one = draws.below(places, 1);
    other = draws.below(places, 2);
  } else {
    one = 1 + draws.below(places - 2, 1);
    other = 1 + draws.below(places - 3, 2);
    if (other >= one) ++other;
  }
  return {std::min(one, other), std::max(one, other)};
}

}  // namespace assay::fim
