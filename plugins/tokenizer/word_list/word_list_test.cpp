// Words of a list as tokens: exact on every text with bytes, and strict without.
#include <gmock/gmock.h>

#include "assay/tokenizer.h"
#include "harness.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct List {
  explicit List(const std::string& words) { folder.write("words.txt", words); }
  Made<Tokenizer> tokenizer(bool bytes) const {
    return make<Tokenizer>(
        "word_list", {{"vocabulary", {{"path", (folder / "words.txt").string()}, {"sha256", ""}}}, {"bytes", bytes}});
  }
  TemporaryFolder folder;
};

TEST(WordList, ASpaceBetweenWordsNeedsNoToken) {
  const List list("the\ncat\nsat\n");
  const auto words = list.tokenizer(true);
  EXPECT_EQ(words->size(), 3 + 256);
  EXPECT_THAT(words->encode("the cat sat the"), ElementsAre(0, 1, 2, 0));
  EXPECT_THAT(words->encode("cats"), ElementsAre(3 + 'c', 3 + 'a', 3 + 't', 3 + 's'));
  EXPECT_THAT(words->encode("the  cat"), ElementsAre(0, 3 + ' ', 3 + ' ', 1));
  EXPECT_EQ(words->decode({1, 999, -1, 2}), "cat sat");  // others than these ids are special
  for (const auto* text : {"", " ", "the", " the", "the ", "the cat", "a cat", "the a cat", "cat!", "the cat\nsat the",
                           "  ", "the \xc3\xa9 cat", "cat the  sat"})
    EXPECT_EQ(words->decode(words->encode(text)), text);
}

TEST(WordList, WithoutBytesOtherTextIsRefused) {
  const List list("the\ncat\n");
  const auto words = list.tokenizer(false);
  EXPECT_EQ(words->size(), 2);
  EXPECT_THAT(words->encode("cat the cat"), ElementsAre(1, 0, 1));
  EXPECT_THAT([&] { words->encode("the dog"); }, ThrowsMessage<UserError>(HasSubstr("the text has 'dog' at byte 4")));
  EXPECT_THAT([&] { words->encode("the  cat"); }, ThrowsMessage<UserError>(HasSubstr("at byte 4")));
}

TEST(WordList, RefusesListsThatAreNotOfWords) {
  const auto error = [](const std::string& words) {
    try {
      List(words).tokenizer(true);
    } catch (const PluginError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(error("a\na b\n"), HasSubstr("words.txt:2: a word must not be empty or have white space"));
  EXPECT_THAT(error("a\n\nb\n"), HasSubstr("words.txt:2: a word must not be empty"));
  EXPECT_THAT(error("a\nb\na\n"), HasSubstr("words.txt:3: the word 'a' is there twice"));
  EXPECT_THAT(error(""), HasSubstr("has no words"));
}

}  // namespace
}  // namespace assay::testing
