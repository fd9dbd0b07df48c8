// GPT-2's pre-tokenisation: splits text into pieces that merges never cross. Radford et al. 2019, sec. 2.2; the pattern
// is that of the authors' encoder.py, whose alternatives are tried in this order:
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
#pragma once

#include <string_view>

#include "characters.h"

namespace {

class Pieces {
 public:
  // Calls use(piece) for each piece in order; joined they are the text. A byte that is not valid UTF-8 is a piece of
  // its own, and the piece before it ends there.
  void each(std::string_view text, auto&& use) const {
    for (size_t begin = 0; begin < text.size();) {
      const auto end = end_of_piece(text, begin);
      use(text.substr(begin, end - begin));
      begin = end;
    }
  }

 private:
  size_t end_of_piece(std::string_view text, size_t begin) const {
    const auto first = character_at(classes_, text, begin);
    if (first.kind == CharacterClass::kWhiteSpace) return end_after_space(text, begin, begin + first.length);
    if (const auto length = contraction_at(text.substr(begin)); length > 0) return begin + length;
    return end_of_run(text, begin + first.length, first.kind);
  }

  // Where the run of characters of this class ends.
  size_t end_of_run(std::string_view text, size_t place, CharacterClass kind) const {
    while (place < text.size()) {
      const auto next = character_at(classes_, text, place);
      if (next.kind != kind) break;
      place += next.length;
    }
    return place;
  }

  // A single space belongs to the run after it. Of several white-space characters before a run, the last is left out of
  // their piece, for it may be that space.
  size_t end_after_space(std::string_view text, size_t begin, size_t place) const {
    size_t last = begin;  // the last white space that was read
    while (place < text.size()) {
      const auto next = character_at(classes_, text, place);
      if (next.kind == CharacterClass::kBroken) break;
      if (next.kind != CharacterClass::kWhiteSpace) {
        if (last != begin) return last;
        return text[begin] == ' ' ? end_of_run(text, place + next.length, next.kind) : place;
      }
      last = place;
      place += next.length;
    }
    return place;
  }

  static size_t contraction_at(std::string_view text) {
    if (text[0] != '\'') return 0;
    for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
      if (text.starts_with(ending)) return ending.size();
    return 0;
  }

  const CharacterClasses& classes_ = CharacterClasses::table();
};

}  // namespace
