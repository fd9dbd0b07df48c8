// The tokenizer file of an exported folder; tests/exchange_folders.py encodes with it.
#include <set>

#include "base/files.h"
#include "hf_model.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

json file_of(const ForeignModel& foreign, const std::string& name) { return json::parse(foreign.files.at(name)); }

// Tokens by id, from the vocabulary and the added tokens.
std::map<int64_t, std::string> tokens_of(const json& tokenizer) {
  std::map<int64_t, std::string> tokens;
  for (const auto& [token, id] : tokenizer["model"]["vocab"].items()) tokens[id] = token;
  for (const auto& added : tokenizer["added_tokens"]) {
    const int64_t id = added["id"];
    EXPECT_TRUE(!tokens.count(id) || added["content"] == tokens[id]);
    EXPECT_TRUE(added["special"]);
    tokens[id] = added["content"];
  }
  return tokens;
}

TEST_F(HuggingFace, TokenizerOfBytesNamesEveryRow) {
  alibi.vocabulary = 261;
  alibi.special = {
      {kEndOfText, 256}, {"<fim_prefix>", 257}, {"<fim_middle>", 258}, {"<fim_suffix>", 259}, {"<fim_pad>", 260}};
  auto grown = find(alibi.tensors, "model.embedding.weight");
  alibi.tensors[0].second = grown.repeat({17, 1});
  const auto foreign = exchange->to_foreign(alibi);
  const auto tokens = tokens_of(file_of(foreign, "tokenizer.json"));
  EXPECT_EQ(tokens.size(), 261U);
  EXPECT_EQ(tokens.rbegin()->first, 260);
  EXPECT_EQ(find(foreign.tensors, "transformer.wte.weight").size(0), 261);
  for (const auto& [id, token] : std::map<int64_t, std::string>{{'a', "a"},
                                                                {' ', "\u0120"},
                                                                {'\n', "\u010a"},
                                                                {0, "\u0100"},
                                                                {173, "\u0143"},
                                                                {255, "\u00ff"},
                                                                {256, "<|endoftext|>"},
                                                                {258, "<fim_middle>"},
                                                                {260, "<fim_pad>"}})
    EXPECT_EQ(tokens.at(id), token) << id;
  EXPECT_EQ(file_of(foreign, "tokenizer.json")["pre_tokenizer"]["use_regex"], false);
  const auto config = file_of(foreign, "tokenizer_config.json");
  EXPECT_EQ(config["tokenizer_class"], "PreTrainedTokenizerFast");
  EXPECT_EQ(config["eos_token"], "<|endoftext|>");
  EXPECT_EQ(config["model_max_length"], 256);
  EXPECT_EQ(file_of(exchange->to_foreign(learned), "tokenizer_config.json")["model_max_length"], 20);
}

class HuggingFaceBpe : public HuggingFace {
 protected:
  // The letters a b c represent themselves; the file need not contain all tokens that bpe requires.
  void give(const std::string& merges, const json& vocabulary) {
    const auto encoder = folder.write("encoder.json", vocabulary.dump()), list = folder.write("vocab.bpe", merges);
    alibi.tokenizer = json{{"use", "bpe"}, {"encoder", {{"path", encoder}}}, {"merges", {{"path", list}}}}.dump();
  }
  TemporaryFolder folder;
};

TEST_F(HuggingFaceBpe, HasItsMergesAndSentinels) {
  give("#version: 0.2\na b\r\nab c\n", {{"a", 0}, {"b", 1}, {"c", 2}, {"ab", 3}, {"abc", 4}});
  alibi.vocabulary = 7;
  alibi.special = {{kEndOfText, 5}, {"<fim_prefix>", 6}};
  const auto foreign = exchange->to_foreign(alibi);
  const auto tokenizer = file_of(foreign, "tokenizer.json");
  EXPECT_EQ(tokenizer["model"]["merges"], (json{"a b", "ab c"}));
  EXPECT_EQ(tokenizer["pre_tokenizer"]["use_regex"], true);
  const auto tokens = tokens_of(tokenizer);
  EXPECT_EQ(tokens,
            (std::map<int64_t, std::string>{
                {0, "a"}, {1, "b"}, {2, "c"}, {3, "ab"}, {4, "abc"}, {5, "<|endoftext|>"}, {6, "<fim_prefix>"}}));
}

// With these merges, the library tokenizers 0.23.3 encodes "abcabc" as [259, 66], GPT-2's encoder as [258, 258].
TEST_F(HuggingFaceBpe, RefusesMergesThatTheLibraryAppliesInAnotherOrder) {
  give("#version: 0.2\na b\nb c\na bc\nabc ab\nab c\n",
       {{"a", 0}, {"b", 1}, {"c", 2}, {"ab", 3}, {"bc", 4}, {"abc", 5}, {"abcab", 6}});
  EXPECT_THAT([&] { exchange->check(alibi); },
              ThrowsMessage<UserError>(HasSubstr("the merge 'ab c' makes a token that an earlier merge uses")));
}

TEST_F(HuggingFace, OtherTokenizersAreRefusedUnlessLeftOut) {
  alibi.tokenizer = R"({"use": "words"})";
  for (const auto& ask : {+[](const Exchange&hf, const OwnModel&own) { hf.check(own); },
                          +[](const Exchange&hf, const OwnModel&own) { hf.to_foreign(own); }})
    EXPECT_THAT([&] { ask(*exchange, alibi); },
                ThrowsMessage<UserError>(
                    HasSubstr("tokenizer 'words' cannot be exported to transformers, only 'bytes' and 'bpe' can")));
  const auto alone = make<Exchange>("hf", {{"tokenizer", false}})->to_foreign(alibi);
  EXPECT_EQ(alone.files.size(), 1U);
  EXPECT_EQ(alone.files.count("config.json"), 1U);
}

TEST_F(HuggingFace, MaxSeqLenIsAnOptionOfALiBi) {
  const auto written = [&](int64_t asked) {
    const auto hf = make<Exchange>("hf", {{"max_seq_len", asked}});
    return file_of(hf->to_foreign(alibi), "config.json")["max_seq_len"].get<int64_t>();
  };
  EXPECT_EQ(written(0), 8 * 32);
  EXPECT_EQ(written(4096), 4096);
  EXPECT_EQ(written(32), 32);
  EXPECT_THAT([&] { written(31); },
              ThrowsMessage<UserError>(HasSubstr("less than the context length of training, 32")));
}

// The check at plan time has no tensors.
TEST_F(HuggingFace, CheckNeedsNoTensors) {
  for (auto* own : {&learned, &alibi}) {
    own->tensors.clear();
    EXPECT_NO_THROW(exchange->check(*own));
  }
  auto model = json::parse(alibi.model);
  model["gelu"] = "tanh";
  alibi.model = model.dump();
  EXPECT_THAT([&] { exchange->check(alibi); }, ThrowsMessage<UserError>(HasSubstr("gelu = \"tanh\"")));
}

}  // namespace
}  // namespace assay::testing
