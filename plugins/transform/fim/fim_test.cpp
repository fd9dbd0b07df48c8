// Sequences against the values of the reference's permute with scripted draws; invariants for any text, malformed ones
// included; statistics; prompts in the layout of the training data.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "../../shared/fim_cuts.h"
#include "../../shared/fim_layout.h"
#include "assay/tokenizer.h"
#include "assay/transform.h"
#include "harness.h"
#include "shown.h"
#include "unit/source_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

class Fim {
 public:
  explicit Fim(const json& parameters, json tokenizer = json{{"use", "bytes"}})
      : tokenizer_(make<Tokenizer>(tokenizer["use"], tokenizer)), transform_(make<Transform>("fim", parameters)) {
    SpecialTokens names;
    transform_->special_tokens(names);
    auto special = tokenizer_->special_ids();
    int64_t size = tokenizer_->size();
    if (special.emplace(kEndOfText, size).second) ++size;
    for (const auto& name : names.names()) special[name] = size++;
    vocabulary_.emplace(*tokenizer_, size, special);
    transform_->bind(*vocabulary_);
  }
  Transform& operator*() const { return *transform_; }
  Transform* operator->() const { return &*transform_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  int32_t id(const char* name) const { return static_cast<int32_t>(vocabulary_->special(name)); }

  Sample of_document(const std::string& text, const Draws& draws) const {
    Sample sample;
    sample.text = text;
    transform_->apply(sample, draws);
    return sample;
  }
  Sample of_context(const Ids& tokens, const Draws& draws) const {
    Sample sample;
    sample.tokens = tokens;
    transform_->apply(sample, draws);
    return sample;
  }

 private:
  Made<Tokenizer> tokenizer_;
  Made<Transform> transform_;
  std::optional<Vocabulary> vocabulary_;
};

// The draws of a piece, in the order that the transform documents.
struct Script {
  bool fills, spm;
  std::pair<size_t, size_t> cuts;
  bool operator==(const Script&) const = default;
};
Script script_of(const Draws& draws, uint64_t piece, size_t characters) {
  const auto own = draws.substream(piece);
  const auto one = own.below(characters + 1, 1), other = own.below(characters + 1, 2);
  return {own.uniform(0) < 0.5, own.uniform(3) < 0.5, {std::min(one, other), std::max(one, other)}};
}

// Returns the first seed whose draws are those of the script.
Draws draws_that(const std::function<bool(const Draws&)>& follow) {
  for (uint64_t seed = 0; seed < 2000000; ++seed)
    if (const Draws draws(seed, "script"); follow(draws)) return draws;
  throw std::runtime_error("no seed follows the script");
}

TEST(FimContext, MatchesTheReference) {
  const Fim fim(json{{"rate", 0.5}});
  const auto three = draws_that([](const Draws& draws) {
    return script_of(draws, 0, 6) == Script{true, false, {2, 4}} && !script_of(draws, 1, 4).fills &&
           script_of(draws, 2, 6) == Script{true, true, {1, 3}};
  });
  const auto context = fim.of_context(read("abcdef<EOT>ghij<EOT>klmnop"), three);
  EXPECT_EQ(shown(context.tokens), "<PRE>ab<SUF>ef<MID>cd<EOT>ghij<EOT><PRE><SUF>n");
  EXPECT_TRUE(context.loss_weight.empty());
  EXPECT_EQ(context.segment, (std::vector<int32_t>{1, 1, 1, 3, 3, 3, 2, 2, 2, 2, 4, 4, 4, 4, 4, 9, 11, 11}));
  const auto nothing =
      draws_that([](const Draws& draws) { return !script_of(draws, 0, 6).fills && script_of(draws, 1, 0).fills; });
  EXPECT_EQ(shown(fim.of_context(read("abcdef<EOT>"), nothing).tokens), "abcdef<EOT>");
}

// prefix + middle + suffix of a piece in any layout; nothing where it is incomplete.
std::optional<std::string> undone(const Ids& piece) {
  const auto at = [&](int32_t id) { return std::find(piece.begin(), piece.end(), id); };
  for (const auto id : {kPre, kMid, kSuf})
    if (std::count(piece.begin(), piece.end(), id) != 1) return {};
  const auto between = [&](auto begin, auto end) { return shown({begin + 1, end}); };
  if (at(kSuf) < at(kPre))  // v1
    return between(at(kPre), at(kMid)) + between(at(kMid), piece.end()) + between(at(kSuf), at(kPre));
  if (!(at(kPre) < at(kSuf) && at(kSuf) < at(kMid))) return {};
  return between(at(kPre), at(kSuf)) + between(at(kMid), piece.end()) + between(at(kSuf), at(kMid));
}

const std::vector<std::string> kHostile{"",
                                        "x",
                                        "<fim_prefix>a<fim_suffix>b<fim_middle>",
                                        "<|endoftext|>",
                                        "\x80\xFF\xC3",
                                        "caf\xC3\xA9 \xF0\x9F\x98\x80!",
                                        std::string("\0\0", 2),
                                        "\n\n\n",
                                        std::string(500, 'q'),
                                        "ab"};

TEST(FimDocument, PartsInOrderGiveTheDocument) {
  for (const auto* spm : {"spm_v1", "spm_v2"})
    for (const double spm_rate : {0.0, 0.5, 1.0})
      for (const auto* cut : {"character", "token"}) {
        const Fim fim(json{{"stage", "document"}, {"rate", 1.0}, {"spm_rate", spm_rate}, {"spm", spm}, {"cut", cut}});
        EXPECT_EQ(fim->stage(), Stage::kDocument);
        for (const auto& text : kHostile)
          for (uint64_t i = 0; i < 20; ++i) {
            const auto sample = fim.of_document(text, Draws(3, "d").substream(i));
            if (text.empty()) {
              EXPECT_TRUE(sample.tokens.empty());
              continue;
            }
            EXPECT_EQ(sample.tokens.size(), text.size() + 3);
            EXPECT_EQ(undone(sample.tokens), text);
            const bool v1 = std::find(sample.tokens.begin(), sample.tokens.end(), kSuf) <
                            std::find(sample.tokens.begin(), sample.tokens.end(), kPre);
            if (spm_rate == 0 || std::string(spm) == "spm_v2") {
              EXPECT_FALSE(v1);
            }
            if (spm_rate == 1 && std::string(spm) == "spm_v1") {
              EXPECT_TRUE(v1);
            }
            EXPECT_TRUE(sample.loss_weight.empty());
            EXPECT_EQ(sample.segment.size(), sample.tokens.size());
          }
      }
}

TEST(FimDocument, CharacterCutsLeaveCodePointsWhole) {
  const Fim fim(json{{"stage", "document"}, {"rate", 1.0}});
  const std::string text = "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
  for (uint64_t i = 0; i < 200; ++i) {
    const auto tokens = fim.of_document(text, Draws(4, "d").substream(i)).tokens;
    std::string part;
    for (const auto id : tokens) {
      if (id < 256) part += static_cast<char>(id);
      if (id < 256 && id != tokens.back()) continue;
      EXPECT_EQ(fim::fragment_in_front(part), 0u) << i;
      if (id >= 256) {
        EXPECT_EQ(fim::fragment_behind(part), 0u) << i;
        part.clear();
      }
    }
  }
}

TEST(FimDocument, CutsBeforeAStringAndDoesNotChangeOthers) {
  const Fim fim(json{{"stage", "document"}, {"rate", 1.0}, {"spm_rate", 0.0}, {"cut_before", "|"}});
  std::set<std::string> seen;
  for (uint64_t i = 0; i < 400; ++i) seen.insert(shown(fim.of_document("ab|ab", Draws(5, "d").substream(i)).tokens));
  EXPECT_THAT(seen,
              ::testing::UnorderedElementsAre("<PRE><SUF>ab|ab<MID>", "<PRE><SUF>b|ab<MID>a", "<PRE><SUF>|ab<MID>ab",
                                              "<PRE>a<SUF>b|ab<MID>", "<PRE>a<SUF>|ab<MID>b", "<PRE>ab<SUF>|ab<MID>"));
  EXPECT_TRUE(fim.of_document("abab", Draws(5, "d")).tokens.empty());
  EXPECT_THAT(make<Transform>("fim", {{"cut", "token"}, {"cut_before", "|"}})->validate({}),
              ElementsAre(HasSubstr("cut = \"character\"")));
}

TEST(FimDocument, DoesNotChangeShortTextsWhereNoPartMayBeEmpty) {
  const Fim fim(json{{"stage", "document"}, {"rate", 1.0}, {"empty_parts", false}});
  for (uint64_t i = 0; i < 50; ++i) {
    EXPECT_TRUE(fim.of_document("ab", Draws(6, "d").substream(i)).tokens.empty());
    EXPECT_EQ(undone(fim.of_document("abc", Draws(6, "d").substream(i)).tokens), "abc");
  }
}

// Sequences of malformed documents, cut anywhere.
std::vector<Ids> hostile_contexts(size_t size) {
  Ids stream;
  for (int round = 0; round < 3; ++round)
    for (const auto& text : kHostile) {
      const auto ids = bytes(text);
      stream.insert(stream.end(), ids.begin(), ids.end());
      stream.push_back(kEnd);
    }
  std::vector<Ids> contexts;
  for (size_t begin = 0; begin + size <= stream.size(); begin += 7)
    contexts.emplace_back(stream.begin() + static_cast<std::ptrdiff_t>(begin),
                          stream.begin() + static_cast<std::ptrdiff_t>(begin + size));
  return contexts;
}

std::vector<Ids> pieces_of(const Ids& tokens) {
  std::vector<Ids> pieces{{}};
  for (const auto id : tokens)
    if (id == kEnd)
      pieces.emplace_back();
    else
      pieces.back().push_back(id);
  return pieces;
}

TEST(FimContext, HoldsForAnyTexts) {
  for (const auto* cut : {"character", "token"}) {
    const Fim fim(json{{"rate", 1.0}, {"cut", cut}});
    uint64_t number = 0;
    for (const auto& given : hostile_contexts(60)) {
      const auto sample = fim.of_context(given, Draws(7, "c").substream(number++));
      ASSERT_EQ(sample.tokens.size(), given.size());
      ASSERT_EQ(sample.segment.size(), given.size());
      const auto before = pieces_of(given), after = pieces_of(sample.tokens);
      ASSERT_LE(after.size(), before.size());
      for (size_t p = 0; p + 1 < after.size(); ++p) {  // the last one may be cut off
        if (before[p].empty()) {
          EXPECT_TRUE(after[p].empty());  // and its end of text is present
          continue;
        }
        auto text = shown(before[p]);
        if (p == 0 && cut == std::string("character")) text.erase(0, fim::fragment_in_front(text));
        if (text.empty())
          EXPECT_EQ(after[p], before[p]);
        else
          EXPECT_EQ(undone(after[p]), text);
      }
      for (size_t i = 0; i < sample.tokens.size(); ++i) {
        const float weight = sample.loss_weight.empty() ? 1 : sample.loss_weight[i];
        EXPECT_EQ(weight, sample.tokens[i] == kPad ? 0 : 1) << i;
        if (i > 0) {
          EXPECT_GE(sample.segment[i] / kParts, sample.segment[i - 1] / kParts);
        }
      }
    }
    EXPECT_GT(number, 50u);
  }
}

TEST(FimContext, DropsTruncatedCharactersAndPads) {
  const Fim fim(json{{"rate", 1.0}}), never(json{{"rate", 0.0}});
  // "€" without its first byte, "ab", and the first three bytes of "😀": five bytes are dropped, three sentinels added.
  const auto edge = bytes(
      "\x82\xAC"
      "ab\xF0\x9F\x98");
  for (uint64_t i = 0; i < 40; ++i) {
    const auto sample = fim.of_context(edge, Draws(8, "c").substream(i));
    ASSERT_EQ(sample.tokens.size(), 7u);
    EXPECT_EQ(std::vector<int32_t>(sample.tokens.begin() + 5, sample.tokens.end()), (Ids{kPad, kPad}));
    EXPECT_EQ(undone({sample.tokens.begin(), sample.tokens.begin() + 5}), "ab");
    EXPECT_EQ(sample.loss_weight, (std::vector<float>{1, 1, 1, 1, 1, 0, 0}));
    EXPECT_EQ(sample.key_mask, (std::vector<bool>{true, true, true, true, true, false, false}));
  }
  EXPECT_EQ(never.of_context(edge, Draws(8, "c")).tokens, edge);
}

TEST(FimContext, ARateOfZeroIsTheIdentityAndOneChangesTheText) {
  const Fim never(json{{"rate", 0.0}}), always(json{{"rate", 1.0}});
  uint64_t number = 0;
  for (const auto& given : hostile_contexts(40)) {
    const auto draws = Draws(9, "c").substream(number++);
    const auto same = never.of_context(given, draws);
    EXPECT_EQ(same.tokens, given);
    EXPECT_TRUE(same.loss_weight.empty());
    EXPECT_TRUE(same.segment.empty());
    EXPECT_NE(always.of_context(given, draws).tokens, given);
  }
}

// Each piece has its own draws, so the text before it changes nothing.
TEST(FimContext, DrawsByPiece) {
  const Fim fim(json{{"rate", 1.0}});
  const Draws draws(10, "c");
  const auto one = fim.of_context(read("abcdefgh<EOT>ijklmnop<EOT>" + std::string(20, 'z')), draws).tokens;
  const auto other = fim.of_context(read("ABC<EOT>ijklmnop<EOT>" + std::string(25, 'z')), draws).tokens;
  EXPECT_EQ(pieces_of(one)[1], pieces_of(other)[1]);
}

TEST(FimContext, RearrangesTheGivenFractions) {
  for (const auto& [rate, spm_rate] : std::vector<std::pair<double, double>>{{0.5, 0.5}, {0.9, 0.2}, {0.1, 1.0}}) {
    const Fim fim(json{{"rate", rate}, {"spm_rate", spm_rate}, {"spm", "spm_v1"}});
    constexpr int kCount = 4000;
    int filled = 0, spm = 0;
    for (uint64_t i = 0; i < kCount; ++i) {
      const auto tokens = fim.of_context(bytes("some text of a piece"), Draws(11, "c").substream(i)).tokens;
      filled += tokens[0] == kPre || tokens[0] == kSuf;
      spm += tokens[0] == kSuf;
    }
    const auto five_errors = [](double n, double p) { return 5 * std::sqrt(n * p * (1 - p)) + 1e-9; };
    EXPECT_NEAR(filled, kCount * rate, five_errors(kCount, rate));
    EXPECT_NEAR(spm, filled * spm_rate, five_errors(filled, spm_rate));
  }
}

TEST(FimContext, SentinelsNeedNotBeTargets) {
  const Fim fim(json{{"rate", 1.0}, {"sentinel_loss", false}});
  const auto sample = fim.of_context(read("abcdef<EOT>ghijklmnopqrstu"), Draws(12, "c"));
  ASSERT_EQ(sample.loss_weight.size(), sample.tokens.size());
  for (size_t i = 0; i < sample.tokens.size(); ++i)
    EXPECT_EQ(sample.loss_weight[i], kSentinels.has(sample.tokens[i]) ? 0 : 1) << i;
  EXPECT_TRUE(std::count(sample.tokens.begin(), sample.tokens.end(), kEnd));
}

// A vocabulary with merges: where a character cut is inside a token, the parts are encoded separately.
TEST(FimContext, SeamsWithBytePairEncoding) {
  const auto folder = source_folder() / "plugins/tokenizer/bpe/smoke";
  const auto file = [&](const char* name) {
    return json{{"path", (folder / name).string()}, {"sha256", "f00d"}, {"name", name}};
  };
  const json bpe{{"use", "bpe"}, {"encoder", file("encoder.json")}, {"merges", file("vocab.bpe")}};
  const Fim by_character(json{{"rate", 1.0}, {"stage", "document"}}, bpe),
      by_token(json{{"rate", 1.0}, {"stage", "document"}, {"cut", "token"}}, bpe);
  const std::string text = "etaoin shrdlu, etaoin shrdlu";
  const auto& tokenizer = by_character.tokenizer();
  auto whole = tokenizer.encode(text);
  std::sort(whole.begin(), whole.end());
  int split = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    const auto own = [&](const Fim& fim) {
      Ids ids;
      for (const auto id : fim.of_document(text, Draws(13, "d").substream(i)).tokens)
        if (id != fim.id(fim::kPrefixName) && id != fim.id(fim::kMiddleName) && id != fim.id(fim::kSuffixName))
          ids.push_back(id);
      std::sort(ids.begin(), ids.end());
      return ids;
    };
    EXPECT_EQ(own(by_token), whole);
    split += own(by_character) != whole;
    auto letters = tokenizer.decode(own(by_character));
    auto expected = text;
    std::sort(letters.begin(), letters.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(letters, expected);
  }
  EXPECT_GT(split, 50);
}

TEST(FimTransform, TextNeverBecomesASentinel) {
  const Fim fim(json{{"rate", 0.0}});
  for (const auto& text : kHostile)
    for (const auto id : fim.tokenizer().encode(text)) EXPECT_LT(id, 256);
  EXPECT_EQ(fim.id(fim::kPrefixName), kPre);
  EXPECT_EQ(fim.id(fim::kMiddleName), kMid);
  EXPECT_EQ(fim.id(fim::kSuffixName), kSuf);
  EXPECT_EQ(fim.id(fim::kPadName), kPad);
}

struct Sink : MetricSink {
  std::map<std::string, std::pair<double, double>> all;
  void log(const std::string& name, double sum, double weight) override {
    all[name].first += sum;
    all[name].second += weight;
  }
};

TEST(FimTransform, LogsStatisticsOfTheTexts) {
  const Fim fim(json{{"rate", 0.5}});
  Sink sink;
  fim->set_sink(&sink, "fim.");
  const auto observe = [&](const std::string& text) {
    Sample sample;
    sample.tokens = read(text);
    fim->observe(sample);
  };
  observe("<PRE>ab<SUF>e<MID>cde<EOT>ghij<EOT><EOT><PRE><SUF>n");
  observe("<PRE><SUF>ef<MID>abcd<EOT><PRE>a<SUF>b<MID>c<PAD><PAD><PAD>");
  EXPECT_THAT(sink.all, ElementsAre(Pair("fim.effective_rate", Pair(3, 5)), Pair("fim.middle_tokens", Pair(8, 3)),
                                    Pair("fim.pad_fraction", Pair(3, 38)), Pair("fim.prefix_tokens", Pair(3, 3)),
                                    Pair("fim.suffix_tokens", Pair(4, 3)), Pair("fim.truncated_middles", Pair(2, 4))));
}

TEST(FimTransform, PromptsHaveTheLayoutOfTrainingData) {
  const Fim joint(json{{"rate", 0.5}}), psm(json{{"rate", 0.5}, {"spm_rate", 0.0}}),
      v1(json{{"rate", 0.5}, {"spm", "spm_v1"}}), rarely(json{{"rate", 0.5}, {"spm_rate", 0.1}});
  const auto prompt_of = [](const Fim& fim, const std::string& form) {
    return shown(fim->infill_prompt("ab", "cd", form)->tokens);
  };
  EXPECT_EQ(prompt_of(joint, ""), "<PRE><SUF>cd<MID>ab");
  EXPECT_EQ(prompt_of(psm, ""), "<PRE>ab<SUF>cd<MID>");
  EXPECT_EQ(prompt_of(rarely, ""), "<PRE>ab<SUF>cd<MID>");
  EXPECT_EQ(prompt_of(v1, "spm"), "<SUF>cd<PRE>ab<MID>");
  EXPECT_EQ(prompt_of(joint, "psm"), "<PRE>ab<SUF>cd<MID>");
  EXPECT_EQ(joint->infill_prompt("ab", "cd", "")->segment, (std::vector<int32_t>{5, 7, 7, 7, 6, 6, 6}));
  EXPECT_THAT([&] { joint->infill_prompt("", "", "mps"); },
              ThrowsMessage<UserError>(HasSubstr("it must be psm, spm_v1")));
  const Fim never(json{{"rate", 0.0}});
  EXPECT_THAT([&] { never->infill_prompt("", "", ""); }, ThrowsMessage<UserError>(HasSubstr("rate = 0")));
}

}  // namespace
}  // namespace assay::testing
