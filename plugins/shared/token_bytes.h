// Which bytes of a decoded text come from which token.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace assay::text {

// Bytes [begin, end) of the text; several tokens may share a character, whose bytes then belong to the last of them.
struct Bytes {
  int64_t begin = 0, end = 0;
};

// By token; decode(tokens) is their text.
inline std::vector<Bytes> bytes_of(const std::vector<int32_t>& tokens, const auto& decode) {
  std::vector<Bytes> all;
  std::vector<int32_t> before;
  int64_t begin = 0;
  for (const auto token : tokens) {
    before.push_back(token);
    const auto end = static_cast<int64_t>(decode(before).size());
    all.push_back({begin, end});
    begin = end;
  }
  return all;
}

}  // namespace assay::text
