// A model of one layer whose every number is another, for the tests of the exchange hf.
#pragma once

#include <ATen/ops/arange.h>
#include <gmock/gmock.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "assay/exchange.h"
#include "fakes.h"

namespace assay::testing {

using nlohmann::json;

constexpr int64_t kHeads = 2, kWidth = 6, kHeadWidth = 3, kVocabulary = 10, kPadded = 16;

inline json gpt(const json& positional, bool bias) {
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
inline OwnModel numbered(const json& model) {
  OwnModel own{model.dump(), R"({"use": "bytes"})", kVocabulary, {{kEndOfText, 9}}, 32, {}};
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

inline Tensor find(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [known, value] : tensors)
    if (known == name) return value;
  throw std::runtime_error("no " + name);
}

struct HuggingFace : ::testing::Test {
  Made<Exchange> exchange = make<Exchange>("hf");
  OwnModel learned = numbered(gpt({{"use", "learned"}, {"positions", 20}}, true)),
           alibi = numbered(gpt({{"use", "alibi"}, {"max_exponent", 8.0}}, false));
};

}  // namespace assay::testing
