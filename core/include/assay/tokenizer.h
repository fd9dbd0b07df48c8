// Kind "tokenizer": maps bytes to ids and back; decode(encode(x)) == x for every byte string.
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
  virtual int64_t size() const = 0;  // the ids are 0 .. size() - 1
  // Text never encodes to a special token.
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;
  // Special ids decode to the empty string.
  virtual std::string decode(const std::vector<int32_t>& ids) const = 0;
  // Special tokens that already have an id below size(), such as GPT-2's end of text.
  virtual std::map<std::string, int64_t> special_ids() const { return {}; }
  // What the ids depend on besides parameters and code, for the record: such as a table of character classes with its
  // version.
  virtual std::vector<Source> sources() const { return {}; }
};

}  // namespace assay
