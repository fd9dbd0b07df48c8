// Every key that transformers writes into config.json of GPT-2 and MPT (PreTrainedConfig, GPT2Config, MptConfig and
// MptAttentionConfig of 5.24.0 and 4.57.3, and the files of the published models), and what assay makes of it. A key
// that is not in these tables is refused: it might change the model.
#pragma once

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "assay/error.h"

namespace {

using assay::UserError;
using nlohmann::json;

// Keys without effect on weights, forward pass and loss: names, token ids, what is returned, settings of generation,
// heads of other tasks, and keys that transformers writes and never reads.
const std::set<std::string> kNoEffect{"_attn_implementation",
                                      "_attn_implementation_autoset",
                                      "_commit_hash",
                                      "_name_or_path",
                                      "_num_labels",
                                      "architectures",
                                      "auto_map",
                                      "bad_words_ids",
                                      "begin_suppress_tokens",
                                      "bos_token_id",
                                      "chunk_size_feed_forward",
                                      "cross_attention_hidden_size",
                                      "decoder_start_token_id",
                                      "diversity_penalty",
                                      "do_sample",
                                      "dtype",
                                      "early_stopping",
                                      "encoder_no_repeat_ngram_size",
                                      "eos_token_id",
                                      "exponential_decay_length_penalty",
                                      "finetuning_task",
                                      "forced_bos_token_id",
                                      "forced_eos_token_id",
                                      "gradient_checkpointing",
                                      "id2label",
                                      "initializer_range",
                                      "is_decoder",
                                      "is_encoder_decoder",
                                      "label2id",
                                      "length_penalty",
                                      "max_length",
                                      "min_length",
                                      "no_repeat_ngram_size",
                                      "num_beam_groups",
                                      "num_beams",
                                      "num_return_sequences",
                                      "output_attentions",
                                      "output_hidden_states",
                                      "output_past",
                                      "output_scores",
                                      "pad_token_id",
                                      "prefix",
                                      "problem_type",
                                      "remove_invalid_values",
                                      "repetition_penalty",
                                      "return_dict",
                                      "return_dict_in_generate",
                                      "sep_token_id",
                                      "suppress_tokens",
                                      "task_specific_params",
                                      "temperature",
                                      "tf_legacy_loss",
                                      "tie_encoder_decoder",
                                      "tokenizer_class",
                                      "top_k",
                                      "top_p",
                                      "torch_dtype",
                                      "torchscript",
                                      "transformers_version",
                                      "typical_p",
                                      "use_bfloat16",
                                      "use_cache"};

// A layout's own keys: those that the import reads; those that model 'gpt' fixes, with the values that it can represent
// (null or absent is transformers' default, which always is one of them); and those without effect.
struct Keys {
  std::set<std::string> read;
  std::map<std::string, std::vector<json>> fixed;
  std::set<std::string> no_effect;
  const char* ours = "gpt";              // the model that the import makes
  const char* theirs = "GPT-2 and MPT";  // whose keys these are
};

// reorder_and_upcast_attn concerns mixed precision only; n_ctx is in old files.
const Keys kGpt2Keys{{"model_type", "vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner",
                      "activation_function", "resid_pdrop", "embd_pdrop", "attn_pdrop", "tie_word_embeddings"},
                     {{"layer_norm_epsilon", {1e-5}},
                      {"scale_attn_weights", {true}},
                      {"scale_attn_by_inverse_layer_idx", {false}},
                      {"add_cross_attention", {false}},
                      {"pruned_heads", {json::object()}}},
                     {"n_ctx", "reorder_and_upcast_attn", "summary_activation", "summary_first_dropout",
                      "summary_proj_to_labels", "summary_type", "summary_use_proj"}};

// transformers reads few of MPT's keys, but its authors' code, which trained the published models, reads all: a value
// for another model than the one that transformers runs is refused. Both ignore learned_pos_emb with ALiBi.
const Keys kMptKeys{
    {"model_type", "vocab_size", "d_model", "n_layers", "n_heads", "tie_word_embeddings", "attn_config"},
    {{"layer_norm_epsilon", {1e-5}},
     {"expansion_ratio", {4}},
     {"no_bias", {true}},
     {"logit_scale", {}},
     {"emb_pdrop", {0}},
     {"resid_pdrop", {0}},
     {"embedding_fraction", {1}},
     {"norm_type", {"low_precision_layernorm", "layernorm"}},
     {"add_cross_attention", {false}},
     {"pruned_heads", {json::object()}}},
    {"init_config", "init_device", "learned_pos_emb", "max_seq_len", "tokenizer_name", "verbose"}};

const Keys kMptAttentionKeys{{},
                             {{"alibi", {true}},
                              {"alibi_bias_max", {8}},
                              {"attn_pdrop", {0}},
                              {"attn_type", {"multihead_attention"}},
                              {"attn_uses_sequence_id", {false}},
                              {"clip_qkv", {}},
                              {"prefix_lm", {false}},
                              {"qk_ln", {false}},
                              {"softmax_scale", {}},
                              {"add_cross_attention", {false}},
                              {"pruned_heads", {json::object()}}},
                             {"attn_impl", "model_type", "tie_word_embeddings"}};

// config.json, or an object in it, whose values are checked when they are read.
class Settings {
 public:
  explicit Settings(json config, std::string within = "") : config_(std::move(config)), within_(std::move(within)) {}

  void check(const Keys& keys) const {
    for (const auto& [key, value] : config_.items()) {
      if (const auto fixed = keys.fixed.find(key); fixed != keys.fixed.end()) {
        const auto& allowed = fixed->second;
        if (!value.is_null() && std::find(allowed.begin(), allowed.end(), value) == allowed.end())
          wrong(key, (allowed.empty() ? json() : allowed.front()).dump() + ", the only value that model '" + keys.ours +
                         "' supports");
      } else if (!keys.read.count(key) && !keys.no_effect.count(key) && !kNoEffect.count(key)) {
        throw UserError("config.json: '" + within_ + key + "' is " + value.dump() +
                        "; assay does not know this key of " + keys.theirs +
                        ", and it may change the model; remove it if it does not");
      }
    }
  }

  int64_t count(const std::string& key, int64_t most) const {
    const auto value = at(key);
    if (!value.is_number_integer() || value < 1 || value > most)
      wrong(key, "a whole number from 1 to " + std::to_string(most));
    return value;
  }
  std::string text(const std::string& key, const char* otherwise) const {
    const auto value = at(key);
    if (value.is_null()) return otherwise;
    if (!value.is_string()) wrong(key, "a string");
    return value;
  }
  bool flag(const std::string& key, bool otherwise) const {
    const auto value = at(key);
    if (value.is_null()) return otherwise;
    if (!value.is_boolean()) wrong(key, "true or false");
    return value;
  }
  double number(const std::string& key, double otherwise) const {
    const auto value = at(key);
    if (value.is_null()) return otherwise;
    if (!value.is_number()) wrong(key, "a number");
    return value;
  }
  bool has(const std::string& key) const { return !at(key).is_null(); }
  Settings inner(const std::string& key) const {
    const auto value = at(key);
    if (value.is_null()) return Settings(json::object());
    if (!value.is_object()) wrong(key, "an object");
    return Settings(value, within_ + key + ".");
  }
  [[noreturn]] void wrong(const std::string& key, const std::string& allowed) const {
    throw UserError("config.json: '" + within_ + key + "' is " + at(key).dump() + "; it must be " + allowed);
  }

 private:
  json at(const std::string& key) const { return config_.value(key, json()); }

  json config_;
  std::string within_;  // "attn_config."
};

}  // namespace
