// A bounded amount of text for checks at plan time, so that planning stays fast on data of any size.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "assay/tokenizer.h"

namespace assay::evaluation {

// Encodes documents up to a budget of bytes.
class BoundedEncoder {
 public:
  explicit BoundedEncoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // The ids of the text, or of a prefix that is expected to give at least `wanted` ids.
  std::vector<int32_t> encode(std::string_view text, int64_t wanted) {
    constexpr int64_t kBytesPerToken = 16, kLeast = 64 << 10;
    const auto most = std::min(std::max(wanted * kBytesPerToken, kLeast), left_);
    auto end = std::min(static_cast<size_t>(most), text.size());
    while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;  // not inside a UTF-8 character
    left_ -= static_cast<int64_t>(end);
    is_cut_ |= end < text.size();
    return end == 0 ? std::vector<int32_t>{} : tokenizer_.encode(text.substr(0, end));
  }

  // Whether some text was not encoded, which may contain what was not found.
  bool is_cut() const { return is_cut_; }
  bool is_used_up() const { return left_ <= 0; }

 private:
  const Tokenizer& tokenizer_;
  int64_t left_ = 4 << 20;
  bool is_cut_ = false;
};

}  // namespace assay::evaluation
