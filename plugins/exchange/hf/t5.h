// T5 (modeling_t5.py of transformers 5.24.0) and the plugin t5: config.json and tensors, in both directions. Their
// queries, keys and values are matrices of their own, where ours are interleaved by head; their scores are not divided
// by sqrt(head width), so their queries are ours divided by it.
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "layouts.h"
#include "models.h"

namespace {

constexpr const char* kSharedTable = "shared.weight";

// dense_act_fn and is_gated_act follow from feed_forward_proj when transformers reads a file.
const Keys kT5Keys{
    {"model_type", "vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_decoder_layers", "num_heads",
     "relative_attention_num_buckets", "relative_attention_max_distance", "dropout_rate", "feed_forward_proj",
     "initializer_factor", "tie_word_embeddings", "scale_decoder_outputs"},
    {{"layer_norm_epsilon", {1e-6}}, {"add_cross_attention", {false}}, {"pruned_heads", {json::object()}}},
    {"classifier_dropout", "dense_act_fn", "is_gated_act", "n_positions"},
    "t5",
    "T5"};

struct T5Shape {
  int64_t width, heads, head_width, inner, layers, encoder_layers, vocabulary, padded, buckets;
  bool gated, tied;
  double head_scale = 1;  // of their head relative to ours
};

// ---- tensors -------------------------------------------------------------------------------------

// Visits every tensor of ours with its names in theirs, in the order of ours:
//   plain(ours, theirs, sizes)                    a tensor that is the same
//   table(ours, theirs)                           rows of the vocabulary, of which ours has padding
//   heads(ours, {theirs, ..}, scales)             matrices that ours interleaves by head, each times a number
void visit_t5(const T5Shape& shape, const auto& plain, const auto& table, const auto& heads) {
  const int64_t width = shape.width, all_heads = shape.heads * shape.head_width;
  const double q = 1 / std::sqrt(static_cast<double>(shape.head_width));
  table("model.embedding.weight", kSharedTable, 1.0);
  if (!shape.tied) table("model.head.weight", kHead, shape.head_scale);
  for (const std::string stack : {"encoder", "decoder"}) {
    const bool is_decoder = stack == "decoder";
    const auto attention = [&](const std::string& ours, const std::string& theirs) {
      heads(ours + "qkv.weight", {theirs + "q.weight", theirs + "k.weight", theirs + "v.weight"}, {q, 1.0, 1.0});
      plain(ours + "output.weight", theirs + "o.weight", {width, all_heads});
    };
    for (int64_t l = 0; l < (is_decoder ? shape.layers : shape.encoder_layers); ++l) {
      const auto ours = "model." + stack + ".layers." + std::to_string(l) + ".",
                 theirs = stack + ".block." + std::to_string(l) + ".layer.";
      plain(ours + "attention_norm.weight", theirs + "0.layer_norm.weight", {width});
      attention(ours + "attention.", theirs + "0.SelfAttention.");
      if (is_decoder) {
        const auto cross = theirs + "1.EncDecAttention.";
        plain(ours + "cross_norm.weight", theirs + "1.layer_norm.weight", {width});
        heads(ours + "cross.query.weight", {cross + "q.weight"}, {q});
        heads(ours + "cross.key_value.weight", {cross + "k.weight", cross + "v.weight"}, {1.0, 1.0});
        plain(ours + "cross.output.weight", cross + "o.weight", {width, all_heads});
      }
      const auto feed_forward = theirs + (is_decoder ? "2." : "1.");
      const auto dense = feed_forward + "DenseReluDense.";
      plain(ours + "ffn_norm.weight", feed_forward + "layer_norm.weight", {width});
      if (shape.gated) plain(ours + "gate.weight", dense + "wi_0.weight", {shape.inner, width});
      plain(ours + "up.weight", dense + (shape.gated ? "wi_1.weight" : "wi.weight"), {shape.inner, width});
      plain(ours + "down.weight", dense + "wo.weight", {width, shape.inner});
    }
    plain("model." + stack + ".final_norm.weight", stack + ".final_layer_norm.weight", {width});
    plain(is_decoder ? "model.positional.weight" : "model.encoder_positional.weight",
          stack + ".block.0.layer.0.SelfAttention.relative_attention_bias.weight", {shape.buckets, shape.heads});
  }
}

inline NamedTensors t5_to_foreign(const NamedTensors& own, const T5Shape& shape) {
  NamedTensors out;
  visit_t5(
      shape,
      [&](const std::string& ours, const std::string& theirs, const std::vector<int64_t>&) {
        out.emplace_back(theirs, find(own, ours).to(at::kFloat).contiguous());
      },
      [&](const std::string& ours, const std::string& theirs, double scale) {
        out.emplace_back(theirs, (find(own, ours).to(at::kFloat).narrow(0, 0, shape.vocabulary) * scale).contiguous());
      },
      [&](const std::string& ours, const std::vector<std::string>& theirs, const std::vector<double>& scales) {
        const auto parts = static_cast<int64_t>(theirs.size());
        const auto x = find(own, ours).to(at::kFloat).view({shape.heads, parts, shape.head_width, shape.width});
        for (int64_t i = 0; i < parts; ++i)
          out.emplace_back(theirs[static_cast<size_t>(i)],
                           (x.select(1, i).reshape({-1, shape.width}) * scales[static_cast<size_t>(i)]).contiguous());
      });
  return out;
}

inline NamedTensors t5_from_foreign(const NamedTensors& given, const T5Shape& shape) {
  NamedTensors out;
  std::vector<Entry> used;
  const auto taken = [&](const std::string& theirs, std::vector<int64_t> sizes) {
    used.push_back({"", theirs, Form::kPlain, std::move(sizes)});
    return to_ours(find(given, theirs), used.back(), {});
  };
  visit_t5(
      shape,
      [&](const std::string& ours, const std::string& theirs, const std::vector<int64_t>& sizes) {
        out.emplace_back(ours, taken(theirs, sizes));
      },
      [&](const std::string& ours, const std::string& theirs, double scale) {
        const auto x = taken(theirs, {shape.vocabulary, shape.width}) / scale;
        out.emplace_back(ours, at::cat({x, at::zeros({shape.padded - shape.vocabulary, shape.width}, x.options())}));
      },
      [&](const std::string& ours, const std::vector<std::string>& theirs, const std::vector<double>& scales) {
        std::vector<Tensor> parts;
        for (size_t i = 0; i < theirs.size(); ++i)
          parts.push_back((taken(theirs[i], {shape.heads * shape.head_width, shape.width}) / scales[i])
                              .view({shape.heads, shape.head_width, shape.width}));
        out.emplace_back(ours, at::stack(parts, 1).reshape({-1, shape.width}));
      });
  // Copies of the table and of a tied head, and a bias table that old files have and no version reads.
  for (const auto* copy : {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight", kHead,
                           "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"})
    used.push_back({"", copy, Form::kPlain, {}});
  refuse_surplus(given, used, shape.tied);
  return out;
}

// ---- config.json ---------------------------------------------------------------------------------

[[noreturn]] inline void refuse_t5(const std::string& what) {
  throw UserError(what +
                  "; transformers' T5 has positional and encoder_positional 't5' with rule = \"t5\" and equal "
                  "buckets and max_distance");
}

inline T5Shape t5_shape(const json& model, const assay::OwnModel& own) {
  const auto& scheme = model.at("positional");
  for (const char* key : {"positional", "encoder_positional"}) {
    if (model.at(key).at("use") != "t5")
      refuse_t5("positional scheme '" + model.at(key).at("use").get<std::string>() + "' has no layout in T5");
    if (model.at(key).at("rule") != "t5") refuse_t5(std::string(key) + " with the rule of COCO-LM has no layout in T5");
  }
  for (const char* key : {"buckets", "max_distance"})
    if (scheme.at(key) != model.at("encoder_positional").at(key))
      refuse_t5(std::string("different ") + key + " of encoder and decoder have no layout in T5");
  const int64_t width = model.at("width"), heads = model.at("heads"), given = model.at("head_width"),
                layers = model.at("layers"), encoder_layers = model.at("encoder_layers");
  return {.width = width,
          .heads = heads,
          .head_width = given > 0 ? given : width / heads,
          .inner = inner_width(model),
          .layers = layers,
          .encoder_layers = encoder_layers > 0 ? encoder_layers : layers,
          .vocabulary = own.vocabulary,
          .padded = 0,
          .buckets = scheme.at("buckets"),
          .gated = model.at("feed_forward") == "gated_gelu",
          .tied = model.at("tied_head")};
}

// A tied head of ours reads states divided by sqrt(width), and so does theirs if scale_decoder_outputs is true, or, in
// versions that do not know this key, if the head is tied. Generation begins with the last token of the source, which
// the caller gives as decoder_input_ids; decoder_start_token_id is only its default.
inline json t5_config(const json& model, const assay::OwnModel& own) {
  const auto shape = t5_shape(model, own);
  const auto end_of_text = own.special.at(assay::kEndOfText);
  return {{"architectures", {"T5ForConditionalGeneration"}},
          {"model_type", "t5"},
          {"is_encoder_decoder", true},
          {"vocab_size", own.vocabulary},
          {"d_model", shape.width},
          {"d_kv", shape.head_width},
          {"d_ff", shape.inner},
          {"num_layers", shape.encoder_layers},
          {"num_decoder_layers", shape.layers},
          {"num_heads", shape.heads},
          {"relative_attention_num_buckets", shape.buckets},
          {"relative_attention_max_distance", model.at("positional").at("max_distance")},
          {"dropout_rate", model.at("dropout")},
          {"layer_norm_epsilon", 1e-6},
          {"initializer_factor", model.at("init_factor")},
          {"feed_forward_proj", shape.gated ? "gated-gelu" : "relu"},
          {"tie_word_embeddings", shape.tied},
          {"scale_decoder_outputs", shape.tied},
          {"pad_token_id", end_of_text},
          {"eos_token_id", end_of_text},
          {"decoder_start_token_id", end_of_text},
          {"torch_dtype", "float32"}};
}

inline assay::OwnModel t5_from_foreign(const Settings& config, const NamedTensors& tensors) {
  config.check(kT5Keys);
  const auto form = config.text("feed_forward_proj", "relu");
  if (form != "relu" && form != "gated-gelu") refuse_t5("feed_forward_proj '" + form + "' is not supported");
  const auto number = [&](const char* key, int64_t otherwise) {
    return config.has(key) ? config.count(key, kMost) : otherwise;
  };
  // The head is the file's own if it has one that differs from the table.
  const auto *table = find_if_there(tensors, kSharedTable), *head = find_if_there(tensors, kHead);
  const bool tied = !head || (table && table->to(at::kFloat).equal(head->to(at::kFloat)));
  const bool scaled = config.flag("scale_decoder_outputs", config.flag("tie_word_embeddings", true));
  if (tied && !scaled) refuse_t5("a tied head with scale_decoder_outputs = false is not supported");
  T5Shape shape{.width = config.count("d_model", 1 << 16),
                .heads = config.count("num_heads", 1 << 12),
                .head_width = config.count("d_kv", 1 << 16),
                .inner = config.count("d_ff", 1 << 18),
                .layers = 0,
                .encoder_layers = config.count("num_layers", 1024),
                .vocabulary = config.count("vocab_size", kMost),
                .padded = 0,
                .buckets = number("relative_attention_num_buckets", 32),
                .gated = form == "gated-gelu",
                .tied = tied};
  constexpr int64_t kMultiple = 8;
  shape.layers = number("num_decoder_layers", shape.encoder_layers);
  shape.padded = (shape.vocabulary + kMultiple - 1) / kMultiple * kMultiple;
  if (!tied && scaled) shape.head_scale = std::sqrt(static_cast<double>(shape.width));
  const json scheme = {
      {"use", "t5"}, {"buckets", shape.buckets}, {"max_distance", number("relative_attention_max_distance", 128)}};
  const json model = {{"use", "t5"},
                      {"layers", shape.layers},
                      {"encoder_layers", shape.encoder_layers},
                      {"width", shape.width},
                      {"heads", shape.heads},
                      {"head_width", shape.head_width},
                      {"ffn", shape.inner},
                      {"feed_forward", shape.gated ? "gated_gelu" : "relu"},
                      {"tied_head", tied},
                      {"dropout", config.number("dropout_rate", 0.1)},
                      {"init_factor", config.number("initializer_factor", 1.0)},
                      {"vocab_multiple", kMultiple},
                      {"positional", scheme},
                      {"encoder_positional", scheme}};
  assay::OwnModel own;
  own.model = model.dump();
  own.vocabulary = shape.vocabulary;
  own.tensors = t5_from_foreign(tensors, shape);
  return own;
}

}  // namespace
