// Tokens of fill-in-the-middle as tests write them: bytes, and <EOT>, <PRE>, <MID>, <SUF>, <PAD> as 256 to 260.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../../shared/fim_layout.h"

namespace assay::testing {

using fim::Ids;

inline constexpr int32_t kEnd = 256, kPre = 257, kMid = 258, kSuf = 259, kPad = 260;
inline const fim::Sentinels kSentinels{kPre, kMid, kSuf, kPad};

inline Ids bytes(const std::string& text) {
  Ids ids;
  for (const unsigned char byte : text) ids.push_back(byte);
  return ids;
}

// "ab<PRE>" and back.
inline std::string shown(const Ids& ids) {
  std::string text;
  for (const auto id : ids)
    text += id < 256     ? std::string(1, static_cast<char>(id))
            : id == kEnd ? "<EOT>"
            : id == kPre ? "<PRE>"
            : id == kMid ? "<MID>"
            : id == kSuf ? "<SUF>"
                         : "<PAD>";
  return text;
}
inline Ids read(std::string text) {
  Ids ids;
  while (!text.empty()) {
    size_t taken = 1;
    int32_t id = static_cast<unsigned char>(text[0]);
    for (const auto& [name, special] : std::vector<std::pair<std::string, int32_t>>{
             {"<EOT>", kEnd}, {"<PRE>", kPre}, {"<MID>", kMid}, {"<SUF>", kSuf}, {"<PAD>", kPad}})
      if (text.starts_with(name)) {
        taken = name.size();
        id = special;
      }
    ids.push_back(id);
    text.erase(0, taken);
  }
  return ids;
}

}  // namespace assay::testing
