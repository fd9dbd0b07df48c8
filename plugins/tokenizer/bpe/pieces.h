// GPT-2's pre-tokenisation: text to pieces that merges never cross. Radford et al. 2019, sec. 2.2; the pattern is that
// of the authors' encoder.py. Letters, numbers and white space are Unicode's.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <memory>
#include <string>
#include <string_view>

#include "assay/error.h"

namespace {

class Pieces {
 public:
  Pieces() : pattern_(compile()) {
    // Without just-in-time compilation everything still holds, but every match checks the rest of the text again.
    pcre2_jit_compile(pattern_.get(), PCRE2_JIT_COMPLETE);
  }

  // Calls use(piece) on one after the other; joined they are the text. Bytes that are no UTF-8 are pieces of their own.
  void each(std::string_view text, auto&& use) const {
    const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    const Match match(pcre2_match_data_create_from_pattern(pattern_.get(), nullptr), pcre2_match_data_free);
    for (size_t done = 0; done < text.size();) {
      const int found = pcre2_match(pattern_.get(), subject, text.size(), done, 0, match.get(), nullptr);
      if (found == PCRE2_ERROR_NOMATCH) return use(text.substr(done));
      if (found < 0) throw assay::UserError("bpe: the text cannot be split: " + message_of(found));
      const auto* ends = pcre2_get_ovector_pointer(match.get());
      if (ends[0] > done) use(text.substr(done, ends[0] - done));
      use(text.substr(ends[0], ends[1] - ends[0]));
      done = ends[1];
    }
  }

 private:
  using Code = std::unique_ptr<pcre2_code, void (*)(pcre2_code*)>;
  using Match = std::unique_ptr<pcre2_match_data, void (*)(pcre2_match_data*)>;

  // White_Space by its property: PCRE2's \s holds one code point more, U+180E.
  static Code compile() {
    constexpr std::string_view kPattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+)"
                                          R"(|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+)";
    int error = 0;
    size_t where = 0;
    Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(kPattern.data()), kPattern.size(),
                            PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF, &error, &where, nullptr),
              pcre2_code_free);
    if (!code)
      throw assay::UserError("bpe: the PCRE2 of this machine refuses the pattern (" + message_of(error) +
                             "); PCRE2 10.40 or newer is needed");
    return code;
  }

  static std::string message_of(int error) {
    char text[256] = "";
    pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(text), sizeof text);
    return text;
  }

  Code pattern_;
};

}  // namespace
