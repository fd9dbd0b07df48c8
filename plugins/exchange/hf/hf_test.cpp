// Layouts against plain index loops, in both directions, and errors. tests/exchange_hf.py compares with transformers
// itself.
#include <tuple>

#include "hf_model.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;

// Row (h, which, k) of assay's matrix is row (which, h, k) of theirs.
int64_t ours(int64_t which, int64_t h, int64_t k) { return (h * 3 + which) * kHeadWidth + k; }
int64_t theirs(int64_t which, int64_t h, int64_t k) { return (which * kHeads + h) * kHeadWidth + k; }

TEST_F(HuggingFace, Gpt2) {
  const auto foreign = exchange->to_foreign(learned);
  const auto config = json::parse(foreign.files.at("config.json"));
  EXPECT_EQ(config["model_type"], "gpt2");
  EXPECT_EQ(config["n_positions"], 20);
  EXPECT_EQ(config["n_inner"], 4 * kWidth);
  EXPECT_EQ(config["activation_function"], "gelu_new");
  EXPECT_EQ(config["vocab_size"], kVocabulary);
  EXPECT_EQ(config["eos_token_id"], 9);
  const auto qkv = find(learned.tensors, "model.layers.0.attention.qkv.weight"),
             bias = find(learned.tensors, "model.layers.0.attention.qkv.bias"),
             c_attn = find(foreign.tensors, "transformer.h.0.attn.c_attn.weight"),
             c_bias = find(foreign.tensors, "transformer.h.0.attn.c_attn.bias");
  ASSERT_EQ(c_attn.sizes(), (std::vector<int64_t>{kWidth, 3 * kWidth}));
  for (int64_t which = 0; which < 3; ++which)
    for (int64_t h = 0; h < kHeads; ++h)
      for (int64_t k = 0; k < kHeadWidth; ++k) {
        EXPECT_EQ(c_bias[theirs(which, h, k)].item<float>(), bias[ours(which, h, k)].item<float>());
        for (int64_t in = 0; in < kWidth; ++in)
          EXPECT_EQ(c_attn[in][theirs(which, h, k)].item<float>(), qkv[ours(which, h, k)][in].item<float>());
      }
  const auto up = find(learned.tensors, "model.layers.0.up.weight"),
             c_fc = find(foreign.tensors, "transformer.h.0.mlp.c_fc.weight");
  EXPECT_EQ(c_fc[2][7].item<float>(), up[7][2].item<float>());
  EXPECT_EQ(find(foreign.tensors, "transformer.wte.weight").size(0), kVocabulary);
}

TEST_F(HuggingFace, Mpt) {
  const auto foreign = exchange->to_foreign(alibi);
  const auto config = json::parse(foreign.files.at("config.json"));
  EXPECT_EQ(config["model_type"], "mpt");
  EXPECT_EQ(config["attn_config"]["alibi_bias_max"], 8);
  EXPECT_EQ(config["max_seq_len"], 8 * 32);
  const auto qkv = find(alibi.tensors, "model.layers.0.attention.qkv.weight"),
             wqkv = find(foreign.tensors, "transformer.blocks.0.attn.Wqkv.weight");
  for (int64_t which = 0; which < 3; ++which)
    for (int64_t h = 0; h < kHeads; ++h)
      for (int64_t k = 0; k < kHeadWidth; ++k)
        EXPECT_EQ(wqkv[theirs(which, h, k)][4].item<float>(), qkv[ours(which, h, k)][4].item<float>());
}

// All other tensors, by their names in transformers: unchanged or transposed.
TEST_F(HuggingFace, EveryTensorHasItsPlace) {
  const std::string l = "model.layers.0.", h = "transformer.h.0.", b = "transformer.blocks.0.";
  const auto gpt2 = exchange->to_foreign(learned), mpt = exchange->to_foreign(alibi);
  const auto expect = [&](const ForeignModel& there, const OwnModel& own, const std::string& theirs,
                          const std::string& ours, bool turned) {
    const auto x = find(own.tensors, ours);
    EXPECT_TRUE(find(there.tensors, theirs).equal(turned ? x.t() : x)) << theirs;
  };
  for (const auto& [theirs, ours, turned] :
       {std::tuple{h + "ln_1", l + "attention_norm", false},
        {h + "attn.c_proj", l + "attention.output", true},
        {h + "ln_2", l + "ffn_norm", false},
        {h + "mlp.c_fc", l + "up", true},
        {h + "mlp.c_proj", l + "down", true},
        {std::string("transformer.ln_f"), std::string("model.final_norm"), false}}) {
    expect(gpt2, learned, theirs + ".weight", ours + ".weight", turned);
    expect(gpt2, learned, theirs + ".bias", ours + ".bias", false);
  }
  expect(gpt2, learned, "transformer.wpe.weight", "model.positional.weight", false);
  for (const auto& [theirs, ours] : {std::pair{b + "norm_1", l + "attention_norm"},
                                     {b + "attn.out_proj", l + "attention.output"},
                                     {b + "norm_2", l + "ffn_norm"},
                                     {b + "ffn.up_proj", l + "up"},
                                     {b + "ffn.down_proj", l + "down"},
                                     {std::string("transformer.norm_f"), std::string("model.final_norm")}})
    expect(mpt, alibi, theirs + ".weight", ours + ".weight", false);
  EXPECT_EQ(gpt2.tensors.size(), learned.tensors.size());
  EXPECT_EQ(mpt.tensors.size(), alibi.tensors.size());
}

TEST_F(HuggingFace, RoundTrip) {
  auto untied = numbered([] {
    auto model = gpt({{"use", "alibi"}, {"max_exponent", 8.0}}, false);
    model["tied_head"] = false;
    return model;
  }());
  untied.tensors.emplace_back("model.head.weight", untied.tensors[0].second * 2);
  for (const auto* own : {&learned, &alibi, &untied}) {
    const auto back = exchange->from_foreign(exchange->to_foreign(*own));
    ASSERT_EQ(back.tensors.size(), own->tensors.size());
    for (const auto& [name, value] : own->tensors) EXPECT_TRUE(find(back.tensors, name).equal(value)) << name;
    const auto was = json::parse(own->model), is = json::parse(back.model);
    for (const char* key : {"use", "layers", "width", "heads", "bias", "gelu", "tied_head", "positional"})
      EXPECT_EQ(is[key], was[key]) << key;
    EXPECT_EQ(back.vocabulary, kVocabulary);
  }
  auto headless = exchange->to_foreign(learned);  // the names of GPT-2's own file
  for (auto& [name, value] : headless.tensors) name = name.substr(std::string("transformer.").size());
  EXPECT_TRUE(find(exchange->from_foreign(headless).tensors, "model.final_norm.bias")
                  .equal(find(learned.tensors, "model.final_norm.bias")));
}

TEST_F(HuggingFace, RefusesWhatItCannotExpress) {
  const auto refusal = [&](const json& change, const OwnModel& from) {
    auto own = from;
    auto model = json::parse(own.model);
    model.merge_patch(change);
    own.model = model.dump();
    try {
      exchange->to_foreign(own);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  EXPECT_THAT(refusal({{"positional", {{"use", "rotary"}}}}, learned),
              HasSubstr("positional scheme 'rotary' has no layout"));
  EXPECT_THAT(refusal({{"bias", false}}, learned), HasSubstr("bias = false"));
  EXPECT_THAT(refusal({{"embedding_norm", true}}, learned), HasSubstr("embedding_norm = true"));
  EXPECT_THAT(refusal({{"gelu", "tanh"}}, alibi), HasSubstr("gelu = \"tanh\""));
  EXPECT_THAT(refusal({{"ffn", 7}}, alibi), HasSubstr("ffn other than"));
  for (const double exponent : {7.5, 4.0})  // transformers always takes 8
    EXPECT_THAT(refusal({{"positional", {{"max_exponent", exponent}}}}, alibi), HasSubstr("max_exponent other than 8"));
  EXPECT_THAT(refusal({{"use", "other"}}, alibi), HasSubstr("model 'other'"));
  auto foreign = exchange->to_foreign(alibi);
  foreign.tensors.pop_back();
  EXPECT_THAT([&] { exchange->from_foreign(foreign); },
              ::testing::ThrowsMessage<UserError>(HasSubstr("'transformer.norm_f.weight' is missing")));
  foreign.files["config.json"] = R"({"model_type": "llama"})";
  EXPECT_THAT([&] { exchange->from_foreign(foreign); },
              ::testing::ThrowsMessage<UserError>(HasSubstr("model_type 'llama'")));
}

// Supported values of config.json, and errors for others; a file that does not match it; unknown tensors.
TEST_F(HuggingFace, RefusesFoldersThatItCannotRead) {
  const auto refusal = [&](const OwnModel& from, const json& change,
                           const std::function<void(ForeignModel&)>& spoil = {}) {
    auto foreign = exchange->to_foreign(from);
    auto config = json::parse(foreign.files["config.json"]);
    config.update(change);  // null is kept as a value
    foreign.files["config.json"] = config.dump();
    if (spoil) spoil(foreign);
    try {
      exchange->from_foreign(foreign);
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  const json changes[] = {{{"n_head", 0}},
                          {{"n_embd", "6"}},
                          {{"vocab_size", nullptr}},
                          {{"n_layer", 1e9}},
                          {{"tie_word_embeddings", 3}},
                          {{"n_positions", -1}},
                          {{"model_type", 3}},
                          {{"layer_norm_epsilon", 1e-6}}};
  for (const auto& change : changes)
    EXPECT_THAT(refusal(learned, change), HasSubstr("config.json: '" + change.begin().key() + "' is ")) << change;
  EXPECT_EQ(refusal(learned, {{"tie_word_embeddings", nullptr}}), "nothing");
  EXPECT_EQ(refusal(alibi, {{"attn_config", nullptr}}), "nothing");
  EXPECT_THAT(refusal(alibi, {{"attn_config", {{"alibi_bias_max", 16}}}}),
              HasSubstr("'attn_config.alibi_bias_max' is 16"));
  EXPECT_THAT(refusal(learned, {{"n_head", 4}}), HasSubstr("not a multiple of the heads"));
  EXPECT_THAT(
      refusal(learned, {{"n_inner", 12}}),
      HasSubstr("'transformer.h.0.mlp.c_fc.weight' has sizes [6, 24], and by config.json it must have [6, 12]"));
  EXPECT_THAT(refusal(learned, {{"n_layer", 2}}), HasSubstr("'transformer.h.1.ln_1.weight' is missing"));
  const auto with = [](const std::string& name) {
    return [name](ForeignModel& foreign) { foreign.tensors.emplace_back(name, foreign.tensors[0].second * 2); };
  };
  EXPECT_THAT(refusal(learned, json::object(), with("transformer.h.1.ln_1.weight")),
              HasSubstr("has no place in the model"));
  EXPECT_EQ(refusal(learned, json::object(), with("lm_head.weight")), "nothing");  // untied, as in transformers
  EXPECT_EQ(refusal(learned, json::object(), with("transformer.h.0.attn.bias")), "nothing");
}

}  // namespace
}  // namespace assay::testing
