// Decoding returns the encoded bytes.
#include <gtest/gtest.h>

#include "assay/component.h"
#include "assay/tokenizer.h"
#include "harness.h"

namespace assay::testing {
namespace {

TEST(Bytes, IdsAreTheBytes) {
  const auto bytes = make<Tokenizer>("bytes");
  EXPECT_EQ(bytes->size(), 256);
  EXPECT_EQ(bytes->encode("A\xff"), (std::vector<int32_t>{65, 255}));
  EXPECT_TRUE(bytes->encode("").empty());
  EXPECT_TRUE(bytes->special_ids().empty());
}

TEST(Bytes, DecodesWhatItEncoded) {
  std::string every, text;
  for (int byte = 0; byte < 256; ++byte) every.push_back(static_cast<char>(byte));
  for (int i = 0; i < 3; ++i) text += every;
  const auto bytes = make<Tokenizer>("bytes");
  for (const std::string& hostile : {every, text, std::string(), std::string("\0\0", 2),
                                     std::string("\xc3\x28 \xf0\x9f\x98 \xed\xa0\x80"),  // invalid UTF-8
                                     std::string("\r\n\t\x1b[31m"), std::string("caf\u00e9 \U0001F600")})
    EXPECT_EQ(bytes->decode(bytes->encode(hostile)), hostile);
}

TEST(Bytes, TextNeverBecomesASpecialTokenAndSpecialTokensDecodeToNoText) {
  const auto bytes = make<Tokenizer>("bytes");
  for (const int32_t id : bytes->encode(kEndOfText)) EXPECT_LT(id, 256);
  EXPECT_EQ(bytes->decode({256, 'a', 300, 'b', -1}), "ab");
}

}  // namespace
}  // namespace assay::testing
