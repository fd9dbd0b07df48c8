// The effect of every key of a config.json, and of a tied head. The reference is transformers 5.24.0: each alternative
// below was set there on a small model, and logits in evaluation and in training were compared with those without it.
#include <ATen/ops/ones.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "hf_model.h"

namespace assay::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class HuggingFaceConfig : public HuggingFace {
 protected:
  // Returns the error of importing a model with a changed config.json, or "imported".
  std::string imported_with(const OwnModel& from, const json& change) {
    auto foreign = exchange->to_foreign(from);
    auto config = json::parse(foreign.files["config.json"]);
    for (const auto& [key, value] : change.items()) {
      if (key == "attn_config")
        config[key].update(value);
      else
        config[key] = value;
    }
    foreign.files["config.json"] = config.dump();
    try {
      back = exchange->from_foreign(foreign);
    } catch (const UserError& error) {
      return error.what();
    }
    return "imported";
  }

  OwnModel back;
};

TEST_F(HuggingFaceConfig, EveryKeyThatTransformersWritesIsKnown) {
  const auto file = std::filesystem::path(std::getenv("ASSAY_SOURCE_DIR")) / "tests/exchange/config_keys.json";
  const auto written = json::parse(base::read_file(file))["versions"];
  ASSERT_EQ(written.size(), 2U);
  for (const auto& [version, layouts] : written.items())
    for (const auto* own : {&learned, &alibi}) {
      const auto type = own == &learned ? "gpt2" : "mpt";
      auto config = json::parse(exchange->to_foreign(*own).files["config.json"]);
      auto all = layouts[type];
      EXPECT_GT(all.size(), 30U);
      for (const char* key :
           {"vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "d_model", "n_layers", "n_heads"})
        if (all.contains(key)) all[key] = config[key];
      EXPECT_EQ(imported_with(*own, all), "imported") << version << " " << type;
    }
}

TEST_F(HuggingFaceConfig, KeysThatChangeTheModelAreRefusedByName) {
  const std::vector<std::pair<const OwnModel*, json>> changes{
      {&learned, {{"layer_norm_epsilon", 1e-2}}},
      {&learned, {{"scale_attn_weights", false}}},
      {&learned, {{"scale_attn_by_inverse_layer_idx", true}}},
      {&learned, {{"add_cross_attention", true}}},
      {&learned, {{"pruned_heads", {{"0", {1}}}}}},
      {&learned, {{"per_layer_config", {{"0", {{"n_head", 3}}}}}}},
      {&learned, {{"quantization_config", {{"quant_method", "int8"}}}}},
      {&learned, {{"hidden_size", 24}}},  // an alias of n_embd, which transformers reads as well
      {&alibi, {{"layer_norm_epsilon", 1e-2}}},
      {&alibi, {{"expansion_ratio", 2}}},
      {&alibi, {{"no_bias", false}}},
      {&alibi, {{"logit_scale", 2.0}}},
      {&alibi, {{"emb_pdrop", 0.1}}},
      {&alibi, {{"resid_pdrop", 0.1}}},
      {&alibi, {{"embedding_fraction", 0.5}}},
      {&alibi, {{"norm_type", "rmsnorm"}}},
      {&alibi, {{"n_positions", 20}}},  // a key of GPT-2
      {&alibi, {{"attn_config", {{"alibi", false}}}}},
      {&alibi, {{"attn_config", {{"attn_pdrop", 0.1}}}}},
      {&alibi, {{"attn_config", {{"attn_type", "multiquery_attention"}}}}},
      {&alibi, {{"attn_config", {{"attn_uses_sequence_id", true}}}}},
      {&alibi, {{"attn_config", {{"clip_qkv", 0.5}}}}},
      {&alibi, {{"attn_config", {{"prefix_lm", true}}}}},
      {&alibi, {{"attn_config", {{"qk_ln", true}}}}},
      {&alibi, {{"attn_config", {{"softmax_scale", 0.1}}}}},
      {&alibi, {{"attn_config", {{"rope", true}}}}},
  };
  for (const auto& [own, change] : changes) {
    auto name = change.begin().key();
    if (name == "attn_config") name += "." + change.begin()->begin().key();
    EXPECT_THAT(imported_with(*own, change), HasSubstr("config.json: '" + name + "' is ")) << change;
  }
}

TEST_F(HuggingFaceConfig, KeysWithoutEffectMayHaveAnyValue) {
  const json of_gpt2 = {{"reorder_and_upcast_attn", true},
                        {"use_cache", false},
                        {"dtype", "float16"},
                        {"summary_type", "last"},
                        {"is_decoder", true},
                        {"chunk_size_feed_forward", 3},
                        {"summary_first_dropout", 0.5},
                        {"initializer_range", 1},
                        {"eos_token_id", {1, 2}},
                        {"n_ctx", 8},
                        {"output_attentions", true}};
  const json of_mpt = {{"learned_pos_emb", true}, {"init_device", "meta"},
                       {"max_seq_len", 2},        {"verbose", 1},
                       {"use_cache", false},      {"attn_config", {{"attn_impl", "flash"}}}};
  EXPECT_EQ(imported_with(learned, of_gpt2), "imported");
  EXPECT_EQ(imported_with(alibi, of_mpt), "imported");
}

TEST_F(HuggingFaceConfig, GPT2sThreeDropoutsMustBeOne) {
  EXPECT_THAT(imported_with(learned, {{"attn_pdrop", 0.3}, {"embd_pdrop", 0}, {"resid_pdrop", 0.1}}),
              AllOf(HasSubstr("'attn_pdrop' is 0.3, 'embd_pdrop' is 0.0 and 'resid_pdrop' is 0.1"),
                    HasSubstr("one dropout rate for all three")));
  for (const char* key : {"attn_pdrop", "embd_pdrop", "resid_pdrop"}) {
    EXPECT_THAT(imported_with(learned, {{key, 0.3}}), HasSubstr("one dropout rate for all three")) << key;
    EXPECT_EQ(imported_with(learned, {{key, nullptr}}), "imported") << key;  // the default is 0.1, like the others
  }
  EXPECT_EQ(imported_with(learned, {{"attn_pdrop", 0.3}, {"embd_pdrop", 0.3}, {"resid_pdrop", 0.3}}), "imported");
  EXPECT_EQ(json::parse(back.model)["dropout"], 0.3);
}

class HuggingFaceTie : public HuggingFace {
 protected:
  HuggingFaceTie() : foreign(exchange->to_foreign(learned)) {}

  void tie(bool flag) {
    auto config = json::parse(foreign.files["config.json"]);
    config["tie_word_embeddings"] = flag;
    foreign.files["config.json"] = config.dump();
  }
  Tensor table() { return find(foreign.tensors, "transformer.wte.weight"); }
  bool imports_tied() {
    const auto own = exchange->from_foreign(foreign);
    const bool tied = json::parse(own.model)["tied_head"];
    EXPECT_TRUE(find(own.tensors, "model.embedding.weight").equal(find(learned.tensors, "model.embedding.weight")));
    EXPECT_EQ(std::any_of(own.tensors.begin(), own.tensors.end(),
                          [](const auto& t) { return t.first == "model.head.weight"; }),
              !tied);
    if (!tied) head = find(own.tensors, "model.head.weight");
    return tied;
  }

  ForeignModel foreign;
  Tensor head;
};

TEST_F(HuggingFaceTie, SaveModelKeepsTheHeadsNameOfATiedPair) {
  for (auto& [name, value] : foreign.tensors)
    if (name == "transformer.wte.weight") name = "lm_head.weight";
  EXPECT_TRUE(imports_tied());
  tie(false);
  EXPECT_THAT([&] { exchange->from_foreign(foreign); },
              ::testing::ThrowsMessage<UserError>(HasSubstr("'transformer.wte.weight' is missing")));
}

TEST_F(HuggingFaceTie, TwoDifferentTensorsAreUntiedForAnyConfig) {
  foreign.tensors.emplace_back("lm_head.weight", table() * 2);
  for (const bool flag : {true, false}) {
    tie(flag);
    EXPECT_FALSE(imports_tied());
    EXPECT_TRUE(head.narrow(0, 0, kVocabulary).equal(table() * 2));
  }
}

TEST_F(HuggingFaceTie, TwoEqualTensorsAreTiedIfTheConfigSaysSo) {
  foreign.tensors.emplace_back("lm_head.weight", table().clone());
  EXPECT_TRUE(imports_tied());
  foreign.tensors.back().second = table().to(at::kDouble);  // of another dtype
  EXPECT_TRUE(imports_tied());
  tie(false);
  EXPECT_FALSE(imports_tied());
}

TEST_F(HuggingFace, TensorsThatCannotBeWeightsAreRefused) {
  for (const auto type : {at::kLong, at::kBool, at::kChar, at::kComplexFloat}) {
    auto foreign = exchange->to_foreign(alibi);
    foreign.tensors[1].second = foreign.tensors[1].second.to(type);
    EXPECT_THAT([&] { exchange->from_foreign(foreign); },
                ::testing::ThrowsMessage<UserError>(AllOf(HasSubstr("'transformer.blocks.0.norm_1.weight' has dtype "),
                                                          HasSubstr("must have a floating-point dtype"))));
  }
  for (const auto type : {at::kDouble, at::kHalf, at::kBFloat16, at::kFloat8_e4m3fn}) {
    auto foreign = exchange->to_foreign(alibi);
    foreign.tensors[1].second = at::ones({kWidth}).to(type);
    EXPECT_TRUE(find(exchange->from_foreign(foreign).tensors, "model.layers.0.attention_norm.weight")
                    .equal(at::ones({kWidth})));
  }
}

}  // namespace
}  // namespace assay::testing
