// The layouts of fill-in-the-middle: one table for training data and for prompts, so that the two cannot differ.
// Bavarian et al. 2022, arXiv:2207.14255, sec. 3 (PSM, SPM) and app. D (SPM's variants).
//   psm     <PRE> prefix <SUF> suffix <MID> middle
//   spm_v1  <SUF> suffix <PRE> prefix <MID> middle
//   spm_v2  <PRE> <SUF> suffix <MID> prefix middle
// spm_v2 is psm with an empty prefix, so that training on one helps the other.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "assay/batch.h"
#include "assay/component.h"

namespace assay::fim {

using Ids = std::vector<int32_t>;

inline constexpr const char* kPrefixName = "<fim_prefix>";
inline constexpr const char* kMiddleName = "<fim_middle>";
inline constexpr const char* kSuffixName = "<fim_suffix>";
inline constexpr const char* kPadName = "<fim_pad>";

inline void declare_sentinels(SpecialTokens& tokens) {
  for (const char* name : {kPrefixName, kMiddleName, kSuffixName, kPadName}) tokens.declare(name);
}

struct Sentinels {
  int32_t prefix = -1, middle = -1, suffix = -1, pad = -1;

  static Sentinels of(const Vocabulary& vocabulary) {
    const auto id = [&](const char* name) { return static_cast<int32_t>(vocabulary.special(name)); };
    return {id(kPrefixName), id(kMiddleName), id(kSuffixName), id(kPadName)};
  }
  bool has(int32_t id) const { return id == prefix || id == middle || id == suffix; }
};

// Tokens, each with its part and its index in the text, prefix + middle + suffix; -1 for a sentinel.
struct Laid {
  Ids tokens;
  std::vector<Part> part;
  std::vector<int64_t> source;
};

inline std::vector<int32_t> segments_of(const Laid& laid, int64_t document) {
  std::vector<int32_t> segments;
  for (const auto part : laid.part) segments.push_back(static_cast<int32_t>(segment_of(document, part)));
  return segments;
}

struct Parts {
  Ids prefix, middle, suffix;
};

enum class Layout { kPsm, kSpmV1, kSpmV2 };

inline Layout layout_of(const std::string& name) {
  if (name == "psm") return Layout::kPsm;
  if (name == "spm_v1") return Layout::kSpmV1;
  if (name == "spm_v2") return Layout::kSpmV2;
  throw UserError("unknown layout '" + name + "'; it must be psm, spm_v1 or spm_v2");
}

enum class Item { PRE, SUF, MID, prefix, suffix, middle };  // sentinels, and texts

// The table. A sentinel opens the part of its name, which ends at the next sentinel; so in spm_v2 prefix and middle
// are one part, as they are one contiguous text.
inline constexpr std::array<std::array<Item, 6>, 3> kLayouts{{
    {Item::PRE, Item::prefix, Item::SUF, Item::suffix, Item::MID, Item::middle},
    {Item::SUF, Item::suffix, Item::PRE, Item::prefix, Item::MID, Item::middle},
    {Item::PRE, Item::SUF, Item::suffix, Item::MID, Item::prefix, Item::middle},
}};

// Without the end of text after the middle. The middle is last in every layout, so that an empty middle gives the
// prompt.
inline Laid lay_out(Layout layout, const Parts& parts, const Sentinels& sentinels) {
  Laid laid;
  Part present = Part::kPrefix;
  const auto sentinel = [&](int32_t id, Part opens) {
    present = opens;
    laid.tokens.push_back(id);
    laid.part.push_back(present);
    laid.source.push_back(-1);
  };
  const auto text = [&](const Ids& ids, size_t begin) {
    laid.tokens.insert(laid.tokens.end(), ids.begin(), ids.end());
    laid.part.resize(laid.tokens.size(), present);
    for (size_t i = 0; i < ids.size(); ++i) laid.source.push_back(static_cast<int64_t>(begin + i));
  };
  for (const auto item : kLayouts[static_cast<size_t>(layout)]) switch (item) {
      case Item::PRE:
        sentinel(sentinels.prefix, Part::kPrefix);
        break;
      case Item::SUF:
        sentinel(sentinels.suffix, Part::kSuffix);
        break;
      case Item::MID:
        sentinel(sentinels.middle, Part::kMiddle);
        break;
      case Item::prefix:
        text(parts.prefix, 0);
        break;
      case Item::suffix:
        text(parts.suffix, parts.prefix.size() + parts.middle.size());
        break;
      case Item::middle:
        text(parts.middle, parts.prefix.size());
        break;
    }
  return laid;
}

inline Laid prompt(Layout layout, const Ids& prefix, const Ids& suffix, const Sentinels& sentinels) {
  return lay_out(layout, {prefix, {}, suffix}, sentinels);
}

}  // namespace assay::fim
