// Text that a plan looks at: so much of it at most that planning stays fast, however large the data are.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "assay/tokenizer.h"

namespace assay::evaluation {

// Encodes documents until the bytes that it may encode are used up.
class BoundedEncoder {
 public:
  explicit BoundedEncoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // The ids of the text, or of a part from its start that is expected to have `wanted` of them.
  std::vector<int32_t> encode(std::string_view text, int64_t wanted) {
    constexpr int64_t kBytesPerToken = 16, kLeast = 64 << 10;
    const auto most = std::min(std::max(wanted * kBytesPerToken, kLeast), left_);
    auto end = std::min(static_cast<size_t>(most), text.size());
    while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;  // inside a character of UTF-8
    left_ -= static_cast<int64_t>(end);
    is_cut_ |= end < text.size();
    return end == 0 ? std::vector<int32_t>{} : tokenizer_.encode(text.substr(0, end));
  }

  // Some text was not encoded, so that what was not found may be in it.
  bool is_cut() const { return is_cut_; }
  bool is_used_up() const { return left_ <= 0; }

 private:
  const Tokenizer& tokenizer_;
  int64_t left_ = 4 << 20;
  bool is_cut_ = false;
};

}  // namespace assay::evaluation
