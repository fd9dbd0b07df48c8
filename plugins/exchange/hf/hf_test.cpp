// Layouts against index loops written out here, the way back, and what is refused. Against transformers itself:
// tests/exchange_hf.py.
#include <ATen/ops/arange.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "assay/exchange.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr int64_t kHeads = 2, kWidth = 6, kHeadWidth = 3, kVocabulary = 10, kPadded = 16;

json gpt(const json& positional, bool bias) {
  return {{"use", "gpt"},
          {"layers", 1},
          {"width", kWidth},
          {"heads", kHeads},
          {"ffn", 0},
          {"bias", bias},
          {"gelu", bias ? "tanh" : "erf"},
          {"tied_head", true},
          {"embedding_norm", false},
          {"dropout", 0.1},
          {"init_std", 0.02},
          {"vocab_multiple", 8},
          {"positional", positional}};
}

// Every element another number.
OwnModel numbered(const json& model) {
  OwnModel own{model.dump(), R"({"use": "bytes"})", kVocabulary, 9, 32, {}};
  int64_t next = 0;
  const auto add = [&](const std::string& name, at::IntArrayRef sizes) {
    int64_t count = 1;
    for (const auto size : sizes) count *= size;
    own.tensors.emplace_back(name, (at::arange(next, next + count, at::kFloat) + 1).view(sizes));
    next += count;
  };
  add("model.embedding.weight", {kPadded, kWidth});
  own.tensors[0].second.narrow(0, kVocabulary, kPadded - kVocabulary).zero_();
  if (model["positional"]["use"] == "learned")
    add("model.positional.weight", {model["positional"]["positions"], kWidth});
  const auto linear = [&](const std::string& name, int64_t out, int64_t in) {
    add(name + ".weight", {out, in});
    if (model["bias"]) add(name + ".bias", {out});
  };
  const auto norm = [&](const std::string& name) {
    add(name + ".weight", {kWidth});
    if (model["bias"]) add(name + ".bias", {kWidth});
  };
  norm("model.layers.0.attention_norm");
  linear("model.layers.0.attention.qkv", 3 * kWidth, kWidth);
  linear("model.layers.0.attention.output", kWidth, kWidth);
  norm("model.layers.0.ffn_norm");
  linear("model.layers.0.up", 4 * kWidth, kWidth);
  linear("model.layers.0.down", kWidth, 4 * kWidth);
  norm("model.final_norm");
  return own;
}

Tensor find(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [known, value] : tensors)
    if (known == name) return value;
  throw std::runtime_error("no " + name);
}

struct HuggingFace : ::testing::Test {
  Made<Exchange> exchange = make<Exchange>("hf");
  OwnModel learned = numbered(gpt({{"use", "learned"}, {"positions", 20}}, true)),
           alibi = numbered(gpt({{"use", "alibi"}, {"max_exponent", 8.0}}, false));
};

// Row (h, which, k) of ours is row (which, h, k) of theirs.
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
  EXPECT_EQ(config["max_seq_len"], 32);
  const auto qkv = find(alibi.tensors, "model.layers.0.attention.qkv.weight"),
             wqkv = find(foreign.tensors, "transformer.blocks.0.attn.Wqkv.weight");
  for (int64_t which = 0; which < 3; ++which)
    for (int64_t h = 0; h < kHeads; ++h)
      for (int64_t k = 0; k < kHeadWidth; ++k)
        EXPECT_EQ(wqkv[theirs(which, h, k)][4].item<float>(), qkv[ours(which, h, k)][4].item<float>());
}

TEST_F(HuggingFace, AndBack) {
  for (const auto* own : {&learned, &alibi}) {
    const auto back = exchange->from_foreign(exchange->to_foreign(*own));
    ASSERT_EQ(back.tensors.size(), own->tensors.size());
    for (const auto& [name, value] : own->tensors) EXPECT_TRUE(find(back.tensors, name).equal(value)) << name;
    const auto was = json::parse(own->model), is = json::parse(back.model);
    for (const char* key : {"use", "layers", "width", "heads", "bias", "gelu", "tied_head", "positional"})
      EXPECT_EQ(is[key], was[key]) << key;
    EXPECT_EQ(back.vocabulary, kVocabulary);
    EXPECT_EQ(back.end_of_text, 9);
  }
  auto headless = exchange->to_foreign(learned);  // as GPT-2's own file has its names
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
  EXPECT_THAT(refusal({{"positional", {{"max_exponent", 7.5}}}}, alibi), HasSubstr("max_exponent"));
  EXPECT_THAT(refusal({{"use", "other"}}, alibi), HasSubstr("model 'other'"));
  auto foreign = exchange->to_foreign(alibi);
  foreign.tensors.pop_back();
  EXPECT_THAT([&] { exchange->from_foreign(foreign); },
              ::testing::ThrowsMessage<UserError>(HasSubstr("'transformer.norm_f.weight' is missing")));
  foreign.files["config.json"] = R"({"model_type": "llama"})";
  EXPECT_THAT([&] { exchange->from_foreign(foreign); },
              ::testing::ThrowsMessage<UserError>(HasSubstr("model_type 'llama'")));
}

}  // namespace
}  // namespace assay::testing
