// Kind "tokenizer": bytes to ids and back; decode(encode(x)) == x for every byte string.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "assay/component.h"

namespace assay {

class Tokenizer : public Component {
 public:
  ASSAY_KIND(Tokenizer, "tokenizer", ASSAY_KIND_HASH_TOKENIZER);
  virtual int64_t size() const = 0;  // ids are 0 .. size() - 1
  // Text never produces a special token.
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;
  // Special ids decode to nothing.
  virtual std::string decode(const std::vector<int32_t>& ids) const = 0;
  // Special tokens that have an id within size() already, for instance GPT-2's end of text.
  virtual std::map<std::string, int64_t> special_ids() const { return {}; }
  // What ids depend on besides parameters and code, for the record: a table of character classes, with its version.
  virtual std::vector<Source> sources() const { return {}; }
};

}  // namespace assay
