// Converts config.json of GPT-2 and MPT to the parameters of model 'gpt', and back.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "assay/component.h"
#include "assay/exchange.h"
#include "config_keys.h"

namespace {

[[noreturn]] inline void refuse(const std::string& what) {
  throw UserError(
      what +
      "; transformers has GPT-2 (positional 'learned', bias = true) and MPT (positional 'alibi' with "
      "max_exponent = 8, bias = false, gelu = \"erf\", ffn = 4 width), both without embedding_norm, and T5");
}

constexpr int64_t kMost = 1 << 24;

inline int64_t inner_width(const json& model) {
  const int64_t ffn = model.at("ffn"), width = model.at("width");
  return ffn == 0 ? 4 * width : ffn;
}

// ---- to transformers --------------------------------------------------------------------------------------------

// Whether the model is GPT-2; otherwise it is MPT. UserError when it is neither.
inline bool is_gpt2(const json& model) {
  if (model.at("use") != "gpt")
    refuse("model '" + model.at("use").get<std::string>() + "' has no layout in transformers");
  if (model.at("embedding_norm").get<bool>()) refuse("embedding_norm = true has no layout in transformers");
  const std::string scheme = model.at("positional").at("use");
  if (scheme == "learned") {
    if (!model.at("bias").get<bool>()) refuse("learned positions with bias = false have no layout in transformers");
    return true;
  }
  if (scheme != "alibi") refuse("positional scheme '" + scheme + "' has no layout in transformers");
  if (model.at("bias").get<bool>()) refuse("ALiBi with bias = true has no layout in transformers");
  if (model.at("gelu") != "erf") refuse("ALiBi with gelu = \"tanh\" has no layout in transformers");
  if (inner_width(model) != 4 * model.at("width").get<int64_t>())
    refuse("ALiBi with ffn other than 4 width has no layout in transformers");
  if (model.at("positional").at("max_exponent") != 8.0)
    refuse("ALiBi with a max_exponent other than 8 has no layout in transformers");
  return false;
}

inline json common_config(const assay::OwnModel& own, const json& model, const char* name, const char* type) {
  const auto end_of_text = own.special.at(assay::kEndOfText);
  return {{"architectures", {name}},
          {"model_type", type},
          {"vocab_size", own.vocabulary},
          {"layer_norm_epsilon", 1e-5},
          {"initializer_range", model.at("init_std")},
          {"tie_word_embeddings", model.at("tied_head")},
          {"bos_token_id", end_of_text},
          {"eos_token_id", end_of_text},
          {"torch_dtype", "float32"}};
}

inline json gpt2_config(const json& model, const assay::OwnModel& own) {
  auto config = common_config(own, model, "GPT2LMHeadModel", "gpt2");
  config.update({{"n_positions", model.at("positional").at("positions")},
                 {"n_embd", model.at("width")},
                 {"n_layer", model.at("layers")},
                 {"n_head", model.at("heads")},
                 {"n_inner", inner_width(model)},
                 {"activation_function", model.at("gelu") == "tanh" ? "gelu_new" : "gelu"},
                 {"resid_pdrop", model.at("dropout")},
                 {"embd_pdrop", model.at("dropout")},
                 {"attn_pdrop", model.at("dropout")}});
  return config;
}

// Dropout is left out: MptConfig accepts only whole numbers. transformers ignores alibi_bias_max and always uses 8.
// max_seq_len is the length of its bias table: it raises for a longer input.
inline json mpt_config(const json& model, const assay::OwnModel& own, int64_t max_seq_len) {
  auto config = common_config(own, model, "MptForCausalLM", "mpt");
  config.update({{"d_model", model.at("width")},
                 {"n_layers", model.at("layers")},
                 {"n_heads", model.at("heads")},
                 {"expansion_ratio", 4},
                 {"max_seq_len", max_seq_len},
                 {"learned_pos_emb", false},
                 {"no_bias", true},
                 {"use_cache", true},
                 {"attn_config", {{"alibi", true}, {"alibi_bias_max", 8}}}});
  return config;
}

// ---- from transformers ------------------------------------------------------------------------------------------

// gpt has one dropout rate for GPT-2's three.
inline double dropout_of_gpt2(const Settings& config) {
  constexpr double kDefault = 0.1;
  const auto on_attention = config.number("attn_pdrop", kDefault),
             on_embeddings = config.number("embd_pdrop", kDefault),
             on_residuals = config.number("resid_pdrop", kDefault);
  if (on_attention != on_residuals || on_embeddings != on_residuals)
    throw UserError("config.json: 'attn_pdrop' is " + json(on_attention).dump() + ", 'embd_pdrop' is " +
                    json(on_embeddings).dump() + " and 'resid_pdrop' is " + json(on_residuals).dump() +
                    "; model 'gpt' has one dropout rate for all three; make them equal in config.json");
  return on_residuals;
}

inline json model_of_gpt2(const Settings& config) {
  config.check(kGpt2Keys);
  const auto activation = config.text("activation_function", "gelu_new");
  if (activation != "gelu_new" && activation != "gelu" && activation != "gelu_pytorch_tanh")
    refuse("activation_function '" + activation + "' is not supported");
  return {{"use", "gpt"},
          {"layers", config.count("n_layer", 1024)},
          {"width", config.count("n_embd", 1 << 16)},
          {"heads", config.count("n_head", 1 << 12)},
          {"ffn", config.has("n_inner") ? config.count("n_inner", 1 << 18) : 0},
          {"bias", true},
          {"gelu", activation == "gelu" ? "erf" : "tanh"},
          {"dropout", dropout_of_gpt2(config)},
          {"vocab_multiple", 8},
          {"positional", {{"use", "learned"}, {"positions", config.count("n_positions", kMost)}}}};
}

inline json model_of_mpt(const Settings& config) {
  config.check(kMptKeys);
  config.inner("attn_config").check(kMptAttentionKeys);
  return {{"use", "gpt"},
          {"layers", config.count("n_layers", 1024)},
          {"width", config.count("d_model", 1 << 16)},
          {"heads", config.count("n_heads", 1 << 12)},
          {"ffn", 0},
          {"bias", false},
          {"gelu", "erf"},
          {"dropout", 0.0},
          {"vocab_multiple", 8},
          {"positional", {{"use", "alibi"}, {"max_exponent", 8.0}}}};
}

}  // namespace
