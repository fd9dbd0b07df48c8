// Tokenizers: every byte string survives a round trip, ids are in range, text never encodes to a special token.
#include "assay/tokenizer.h"

#include <set>

#include "assay/random.h"
#include "check/subject.h"

namespace assay::check {
namespace {

std::vector<std::string> hostile_texts() {
  std::string all_bytes, zeros(3, '\0');
  for (int byte = 0; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
  std::vector<std::string> texts{"",
                                 " ",
                                 "\n\n \t",
                                 zeros,
                                 all_bytes,
                                 std::string(5000, 'a'),
                                 std::string(3000, ' '),
                                 std::string(999, '\xff'),
                                 "\xc3\x28 \xe2\x82 \xf0\x9f\x98 \xed\xa0\x80",  // invalid UTF-8
                                 "na\xc3\xafve \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80\xe2\x80\x8d",
                                 kEndOfText,
                                 std::string("a") + kEndOfText + "b",
                                 "it's 1234567890 we'll-go!! ... \r\n"};
  const Draws draws(1, "hostile texts");
  for (uint64_t t = 0; t < 60; ++t) {
    std::string text;
    const auto length = draws.below(80, t);
    for (uint64_t i = 0; i < length; ++i) text += static_cast<char>(draws.substream(t).below(256, i));
    texts.push_back(text);
  }
  return texts;
}

std::string shown(const std::string& text) {
  std::string out;
  for (const unsigned char byte : text.substr(0, 24)) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%02x ", byte);
    out += hex;
  }
  return "the " + std::to_string(text.size()) + " bytes " + out + (text.size() > 24 ? ".." : "");
}

std::string round_trip(const Subject& subject) {
  const Instance<Tokenizer> tokenizer(subject);
  for (const auto& text : hostile_texts()) {
    const auto back = tokenizer->decode(tokenizer->encode(text));
    if (back != text) return shown(text) + " decode to " + shown(back);
  }
  return "";
}

std::string ids_in_range(const Subject& subject) {
  const Instance<Tokenizer> tokenizer(subject);
  std::set<int64_t> special;
  for (const auto& [name, id] : tokenizer->special_ids()) {
    if (id < 0 || id >= tokenizer->size()) return "special token '" + name + "' has the id " + std::to_string(id);
    special.insert(id);
  }
  auto texts = hostile_texts();
  for (const auto& [name, id] : tokenizer->special_ids()) texts.insert(texts.end(), {name, "a " + name + " b"});
  for (const auto& text : texts)
    for (const auto id : tokenizer->encode(text)) {
      if (id < 0 || id >= tokenizer->size())
        return shown(text) + " encode to the id " + std::to_string(id) + " of " + std::to_string(tokenizer->size());
      if (special.count(id)) return shown(text) + " encode to the special token " + std::to_string(id);
    }
  for (const auto id : special)
    if (!tokenizer->decode({static_cast<int32_t>(id)}).empty())
      return "special token " + std::to_string(id) + " decodes to text";
  return "";
}

std::string encoded(const Subject& subject) {
  const Instance<Tokenizer> tokenizer(subject);
  std::string all;
  for (const auto& text : hostile_texts())
    for (const auto id : tokenizer->encode(text)) all += std::to_string(id) + " ";
  return all;
}

}  // namespace

void tokenizer(const Subject& subject) {
  subject.property("decode(encode(x)) is x for any bytes", [&] { return round_trip(subject); });
  subject.property("ids are in range, and no text encodes to a special token", [&] { return ids_in_range(subject); });
  subject.property("it is reproducible, also in two threads",
                   [&] { return repeats([&] { return encoded(subject); }); });
}

}  // namespace assay::check
