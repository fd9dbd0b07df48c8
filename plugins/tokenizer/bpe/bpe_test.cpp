// Byte-level BPE: merges by hand on tiny vocabularies made here, GPT-2's published ids where its files are available,
// and files that are corrupt or swapped.
#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "assay/component.h"
#include "assay/tokenizer.h"
#include "base/files.h"
#include "base/sha256.h"
#include "characters.h"
#include "harness.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;
using Ids = std::vector<int32_t>;

constexpr int32_t kSpace = 220, kA = 64, kB = 65, kC = 66;  // of byte tokens, ordered as in GPT-2's file

// A vocabulary of the 256 bytes, the results of the merges (in order, from 256) and the end of text.
class Tiny {
 public:
  explicit Tiny(const std::vector<std::string>& merges) {
    std::vector<std::string> tokens;
    for (const auto& [first, last] : {std::pair{0x21, 0x7e}, {0xa1, 0xac}, {0xae, 0xff}, {0x100, 0x143}})
      for (int code = first; code <= last; ++code)
        tokens.push_back(code < 128
                             ? std::string(1, static_cast<char>(code))
                             : std::string{static_cast<char>(0xc0 + code / 64), static_cast<char>(0x80 + code % 64)});
    merges_ = "#version: 0.2\n";
    for (auto merge : merges) {
      merges_ += merge + "\n";
      merge.erase(merge.find(' '), 1);
      if (std::find(tokens.begin(), tokens.end(), merge) == tokens.end()) tokens.push_back(merge);
    }
    tokens.push_back(kEndOfText);
    for (size_t id = 0; id < tokens.size(); ++id)
      encoder_ += (id ? ", " : "{") + nlohmann::json(tokens[id]).dump() + ": " + std::to_string(id);
    encoder_ += "}\n";
  }

  Made<Tokenizer> tokenizer() const { return tokenizer(encoder_, merges_); }
  Made<Tokenizer> tokenizer(const std::string& encoder, const std::string& merges) const {
    folder_.write("encoder.json", encoder);
    folder_.write("vocab.bpe", merges);
    return make<Tokenizer>(
        "bpe", {{"encoder", (folder_ / "encoder.json").string()}, {"merges", (folder_ / "vocab.bpe").string()}});
  }

  TemporaryFolder folder_;
  std::string encoder_, merges_;
};

Ids encode(const std::vector<std::string>& merges, const std::string& text) {
  const auto bpe = Tiny(merges).tokenizer();
  const auto ids = bpe->encode(text);
  EXPECT_EQ(bpe->decode(ids), text);
  EXPECT_EQ(bpe->encode(text), ids) << "from what it remembers";
  return ids;
}

TEST(Bpe, MergesByRank) {
  const std::vector<std::string> merges{"l o", "lo w", "e r", "Ġ low", "a a"};
  EXPECT_THAT(encode(merges, "lower"), ElementsAre(257, 258));
  EXPECT_THAT(encode(merges, "lower low"), ElementsAre(257, 258, 259));
  EXPECT_THAT(encode(merges, "aaaaa"), ElementsAre(260, 260, kA));  // from the left
  EXPECT_THAT(encode(merges, ""), IsEmpty());
  EXPECT_THAT(encode({"b c", "a b"}, "abc"), ElementsAre(kA, 256));  // the lower rank wins, not the first position
  EXPECT_THAT(encode({"a b", "b c"}, "abc"), ElementsAre(256, kC));
}

// abc is the result of two merges, so (abc, ab) ranks below (ab, c). Each round merges its pair everywhere: ab c ab c
// gives abc abc, and the pair abc ab never occurs.
TEST(Bpe, AMergeIsAppliedEverywhereBeforeTheNext) {
  const std::vector<std::string> merges{"a b", "b c", "a bc", "abc ab", "ab c"};
  EXPECT_THAT(encode(merges, "abcabc"), ElementsAre(258, 258));
  EXPECT_THAT(encode(merges, "abcab"), ElementsAre(259));  // abc ab once the round of c is over
}

// Tokens of two pieces are never merged, so a merge across a border would show that there is none.
TEST(Bpe, PiecesFollowThePattern) {
  const auto joined = [](const std::string& merge, const std::string& text) {
    const auto ids = encode({merge}, text);
    return std::count(ids.begin(), ids.end(), 256);
  };
  EXPECT_EQ(joined("a 1", "a1"), 0);
  EXPECT_EQ(joined("a !", "a!"), 0);
  EXPECT_EQ(joined("1 !", "1!"), 0);
  EXPECT_EQ(joined("a b", "ab"), 1);
  EXPECT_EQ(joined("a Ġ", "a b"), 0);
  EXPECT_EQ(joined("Ġ b", "a b"), 1);
  EXPECT_EQ(joined("Ġ 1", "a 1"), 1);
  EXPECT_EQ(joined("Ġ !", "a !"), 1);
  EXPECT_EQ(joined("Ċ b", "a\nb"), 0);  // only a space is attached to what follows
  EXPECT_EQ(joined("' s", "it's"), 1);
  EXPECT_EQ(joined("' S", "IT'S"), 0);  // lower case only
  EXPECT_EQ(joined("' x", "it'x"), 0);
  EXPECT_EQ(joined("Ġ Ġ", "a  b"), 0);  // the last space goes with b
  EXPECT_EQ(joined("Ġ Ġ", "a   b"), 1);
  EXPECT_EQ(joined("Ġ Ġ", "a  "), 1);
}

TEST(Bpe, LettersNumbersAndSpacesFollowUnicode) {
  EXPECT_THAT(encode({"\u00c3 \u00a9", "f \u00c3\u00a9"}, "f\u00e9"), ElementsAre(257));       // a letter
  EXPECT_THAT(encode({"\u00d9 \u00a3", "1 \u00d9\u00a3"}, "1\u0663"), ElementsAre(257));       // a number
  EXPECT_THAT(encode({"\u00d9 \u00a3", "a \u00d9\u00a3"}, "a\u0663"), ElementsAre(kA, 256));   // not a letter
  EXPECT_THAT(encode({"\u00c2 \u0142", "! \u00c2\u0142"}, "!\u00a0"), ElementsAre(0, 256));    // a space
  EXPECT_THAT(encode({"\u00e1 \u0142", "! \u00e1\u0142"}, "!\u180e"), ElementsAre(257, 236));  // not a space any more
}

// Letters since Unicode 15 and 16, and unassigned code points.
TEST(Bpe, LettersAreThoseOfUnicode16) {
  const auto contractions = [](const std::string& text) {
    const auto ids = encode({"' s"}, text);
    return std::count(ids.begin(), ids.end(), 256);
  };
  EXPECT_EQ(contractions("\U00031350's"), 1);  // since 15: 's is a piece of its own
  EXPECT_EQ(contractions("\U00010d40's"), 1);  // since 16: a number
  EXPECT_EQ(contractions("\U00010d4a's"), 1);  // since 16
  EXPECT_EQ(contractions("\U0003347a's"), 0);  // unassigned: '\'' is in its piece
  EXPECT_EQ(contractions("\U0001f600's"), 0);
}

// The hash covers what the library unicodedata2 16.0.0 returns for each code point: L and N by its general category, S
// for White_Space.
TEST(Bpe, TheTableMatchesTheLibraryForAllCodePoints) {
  std::string kinds;
  for (uint32_t code = 0; code < 0x110000; ++code)
    kinds += "-LNS"[static_cast<int>(CharacterClasses::table().of(code))];
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), 'L'), 141028);
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), 'N'), 1911);
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), 'S'), 25);
  EXPECT_EQ(base::sha256(kinds), "f5e274c899d78a043b10fe35f199bddc26f69e692616de581b591ab309b9644d");
  const auto sources = Tiny({"a b"}).tokenizer()->sources();
  ASSERT_EQ(sources.size(), 1u);
  EXPECT_EQ(sources[0].name, "Unicode 16.0.0 letters, numbers and white space");
  EXPECT_EQ(sources[0].sha256, base::sha256(kinds));
}

TEST(Bpe, DecodingRestoresAnyBytes) {
  const auto bpe = Tiny({"a b", "Ġ ab"}).tokenizer();
  std::string every(256, '\0');
  std::iota(every.begin(), every.end(), 0);
  for (const char byte : every) {
    const auto ids = bpe->encode(std::string(1, byte));
    ASSERT_EQ(ids.size(), 1u);
    EXPECT_EQ(bpe->decode(ids), std::string(1, byte));
  }
  for (const std::string& hostile :
       {every + every, std::string("\0\0", 2), std::string("\xc3\x28 \xf0\x9f\x98 \xed\xa0\x80"),
        std::string("ab\xff ab\xfe\xfe"), std::string("caf\u00e9 \U0001F600"), std::string(" \xe2\x82")})
    EXPECT_EQ(bpe->decode(bpe->encode(hostile)), hostile);
  EXPECT_THAT(bpe->encode("ab\xff ab"), ElementsAre(256, 187, 257));  // an invalid byte ends a piece
}

TEST(Bpe, TheEndOfTextIsNotText) {
  const auto bpe = Tiny({"a b"}).tokenizer();
  EXPECT_EQ(bpe->size(), 258);
  EXPECT_EQ(bpe->special_ids(), (std::map<std::string, int64_t>{{kEndOfText, 257}}));
  const auto ids = bpe->encode(kEndOfText);
  EXPECT_EQ(ids.size(), 13u);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 257), 0);
  EXPECT_EQ(bpe->decode({kA, 257, kB, 258, -1}), "ab");
}

// Without a priority queue this would take hours.
TEST(Bpe, EncodesLongPieces) {
  constexpr size_t kLength = 1'000'003;
  const auto bpe = Tiny({"a a", "aa aa", "Ġ Ġ"}).tokenizer();
  const auto letters = bpe->encode(std::string(kLength, 'a'));
  EXPECT_EQ(letters.size(), kLength / 4 + 2);  // aaaa .. aaaa aa a
  EXPECT_EQ(letters.back(), kA);
  EXPECT_EQ(bpe->encode(std::string(kLength, ' ') + "a").size(), (kLength - 1) / 2 + 2);
}

TEST(Bpe, CorruptFilesAreRefused) {
  const Tiny tiny({"a b", "ab c"});
  const auto with = [](std::string text, const std::string& part, const std::string& other) {
    return text.replace(text.find(part), part.size(), other);
  };
  const auto expect = [&](const std::string& encoder, const std::string& merges, const auto& message) {
    EXPECT_THAT([&] { tiny.tokenizer(encoder, merges); }, ThrowsMessage<PluginError>(message));
  };
  const auto& good = tiny.encoder_;
  const auto& list = tiny.merges_;
  expect(list, good, AllOf(HasSubstr("encoder.json is not a JSON object"), HasSubstr("swapped")));
  expect(good.substr(0, good.size() / 2), list, HasSubstr("encoder.json is not a JSON object"));
  expect("{}", list, HasSubstr("encoder.json is not a JSON object"));
  expect(good, good, HasSubstr("vocab.bpe does not begin with '#version:'"));
  expect(good, "", HasSubstr("vocab.bpe contains no merges"));
  expect(good, "#version: 0.2\na b\n", HasSubstr("vocab.bpe has no merge that makes the token 'abc'"));
  expect(good, list + "b c d\n", HasSubstr("vocab.bpe:4 is not two tokens"));
  expect(good, list + "b\n", HasSubstr("vocab.bpe:4 is not two tokens"));
  expect(good, list + "b c\n", HasSubstr("vocab.bpe:4 makes 'bc', which"));
  expect(good, list + "xy c\n", HasSubstr("vocab.bpe:4 merges 'xy', which"));
  expect(good, list + "a b\n", HasSubstr("vocab.bpe:4 repeats an earlier merge"));
  expect(good, "#version: 0.2\nab c\na b\n", HasSubstr("vocab.bpe:2 merges a token that no earlier line makes"));
  expect(with(good, "\": 5,", "\": 6,"), list, HasSubstr("gives the id 6 twice"));
  expect(with(good, "\": 5,", "\": 259,"), list, HasSubstr("the id 259; ids must be 0 to 258"));
  expect(with(good, "\": 5,", "\": -5,"), list, HasSubstr("the id -5"));
  expect(with(good, "\u0141", "two"), list, HasSubstr("has no token for byte 159"));
  for (const auto& path : {tiny.folder_ / "none.json", tiny.folder_.path()})  // a folder is not a file either
    EXPECT_THAT(
        [&] {
          make<Tokenizer>("bpe", {{"encoder", path.string()}, {"merges", "none.bpe"}});
        },
        ThrowsMessage<PluginError>(HasSubstr("cannot read " + path.string() + "; does it exist")));
}

// A corpus made by scripts/data.
fs::path data_folder(const std::string& name) {
  const char* data = std::getenv("ASSAY_DATA");
  const char* source = std::getenv("ASSAY_SOURCE_DIR");
  return (data ? fs::path(data) : fs::path(source ? source : ".") / ".data") / name;
}

// GPT-2's own files; the ids were computed from them by another program.
class Gpt2 : public ::testing::Test {
 protected:
  void SetUp() override {
    auto folder = data_folder("gpt2");
    const char* shared = std::getenv("ASSAY_SHARED_DATA");
    if (!fs::exists(folder) && shared) folder = fs::path(shared) / "gpt2_bpe";
    if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there; run scripts/data gpt2";
    bpe_ = std::make_unique<Made<Tokenizer>>("bpe", nlohmann::json{{"encoder", (folder / "encoder.json").string()},
                                                                   {"merges", (folder / "vocab.bpe").string()}});
  }
  Tokenizer& bpe() { return **bpe_; }

 private:
  std::unique_ptr<Made<Tokenizer>> bpe_;
};

TEST_F(Gpt2, HasThePublishedIds) {
  EXPECT_EQ(bpe().size(), 50257);
  EXPECT_EQ(bpe().special_ids(), (std::map<std::string, int64_t>{{kEndOfText, 50256}}));
  const std::vector<std::pair<std::string, Ids>> table{
      {"Hello world", {15496, 995}},
      {"Hello  world\n\n", {15496, 220, 995, 628}},
      {" It's 1815, isn't it?", {632, 338, 1248, 1314, 11, 2125, 470, 340, 30}},
      {"Persuasion by Jane Austen", {30946, 84, 4247, 416, 12091, 2517, 268}},
      {"def f(x):\n    return x\n", {4299, 277, 7, 87, 2599, 198, 220, 220, 220, 1441, 2124, 198}},
      {"caf\u00e9 \u2014 na\u00efve", {66, 1878, 2634, 851, 41492}},
      {"\U0001F600", {47249, 222}},
      {"\U00031350's", {172, 109, 235, 238, 338}},
  };
  for (const auto& [text, ids] : table) {
    EXPECT_EQ(bpe().encode(text), ids) << text;
    EXPECT_EQ(bpe().decode(ids), text);
  }
  for (const int32_t id : bpe().encode(kEndOfText)) EXPECT_NE(id, 50256);
}

TEST_F(Gpt2, DecodingRestoresEveryByteAndToken) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto ids = bpe().encode(std::string(1, static_cast<char>(byte)));
    ASSERT_EQ(ids.size(), 1u);
    EXPECT_EQ(bpe().decode(ids), std::string(1, static_cast<char>(byte)));
  }
  for (int32_t id = 0; id < 50256; ++id) {
    const auto text = bpe().decode({id});
    EXPECT_EQ(bpe().decode(bpe().encode(text)), text);
  }
}

// There is a published count for NetworkX' sources, too, which scripts/data does not download.
TEST_F(Gpt2, CountsTheSixNovels) {
  const auto folder = data_folder("austen");
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is not there; run scripts/data";
  std::string text;
  for (const char* novel :
       {"emma", "mansfieldpark", "northangerabbey", "persuasion", "prideprejudice", "sensesensibility"})
    text += base::read_file(folder / (novel + std::string(".txt")));
  EXPECT_EQ(text.size(), 4025029u);
  const auto ids = bpe().encode(text);
  EXPECT_NEAR(static_cast<double>(ids.size()), 993333, 10);
  EXPECT_TRUE(bpe().decode(ids) == text);
}

// A vocabulary made by scripts/vocabulary: the ids are those of the library that learned it.
TEST(AustenBpe, HasTheIdsOfTheLibrary) {
  const auto folder = data_folder("austen_bpe"), novels = data_folder("austen");
  for (const auto& needed : {folder, novels})
    if (!fs::exists(needed)) GTEST_SKIP() << needed << " is not there; run scripts/data austen_bpe";
  const auto bpe = make<Tokenizer>("bpe", nlohmann::json{{"encoder", (folder / "encoder.json").string()},
                                                         {"merges", (folder / "vocab.bpe").string()}});
  EXPECT_EQ(bpe->size(), 512);
  EXPECT_TRUE(bpe->special_ids().empty());
  const std::vector<std::tuple<std::string, size_t, std::string>> table{
      {"emma", 414199, "47dffd91f6d49afaf3882c160ad5eaa2bb0db821819f99b80643f4dc5095e379"},
      {"persuasion", 219413, "763ac03d5cdb8a72b0d3bc50246bf546cf337f8248eb0ccca0f459725e05d321"}};
  for (const auto& [novel, count, sha256_of_ids] : table) {
    const auto text = base::read_file(novels / (novel + ".txt"));
    const auto ids = bpe->encode(text);
    EXPECT_EQ(ids.size(), count) << novel;
    EXPECT_EQ(base::sha256({reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t)}), sha256_of_ids);
    EXPECT_TRUE(bpe->decode(ids) == text);
  }
}

}  // namespace
}  // namespace assay::testing
