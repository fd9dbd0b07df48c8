// Tensors of GPT-2 (modeling_gpt2.py) and MPT (modeling_mpt.py), and those of the plugin gpt. Both models concatenate
// Q, K and V, where gpt interleaves them by head; GPT-2's matrices are [in, out].
#pragma once

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "assay/exchange.h"

namespace {

using assay::NamedTensors;
using assay::Tensor;
using assay::UserError;

enum class Form { kPlain, kTransposed, kQkv, kQkvTransposed, kTable };  // kTable: only ours have padding rows

struct Entry {
  std::string ours, theirs;
  Form form;
  std::vector<int64_t> sizes;  // of ours, without padding rows
};

struct Shape {
  int64_t layers, heads, width, inner, vocabulary, padded;
  int64_t positions = 0;  // of a learned table
};

constexpr const char* kTokenTable = "transformer.wte.weight";
constexpr const char* kHead = "lm_head.weight";

// Names of a layer's tensors. GPT-2's matrices are transposed, and all its layers have biases.
struct Names {
  std::string layer, attention_norm, qkv, output, ffn_norm, up, down, final_norm;
  bool gpt2;
};
const Names kGpt2{"transformer.h.", "ln_1",       "attn.c_attn",      "attn.c_proj", "ln_2",
                  "mlp.c_fc",       "mlp.c_proj", "transformer.ln_f", true};
const Names kMpt{
    "transformer.blocks.", "norm_1", "attn.Wqkv", "attn.out_proj", "norm_2", "ffn.up_proj", "ffn.down_proj",
    "transformer.norm_f",  false};

inline std::vector<Entry> entries_of(const Names& names, const Shape& shape, bool tied) {
  const int64_t width = shape.width;
  std::vector<Entry> entries{{"model.embedding.weight", kTokenTable, Form::kTable, {shape.vocabulary, width}}};
  if (names.gpt2)
    entries.push_back({"model.positional.weight", "transformer.wpe.weight", Form::kPlain, {shape.positions, width}});
  const auto add = [&](const std::string& ours, const std::string& theirs, Form weight, std::vector<int64_t> sizes) {
    const auto bias = weight == Form::kQkvTransposed ? Form::kQkv : Form::kPlain;
    entries.push_back({ours + ".weight", theirs + ".weight", weight, sizes});
    if (names.gpt2) entries.push_back({ours + ".bias", theirs + ".bias", bias, {sizes[0]}});
  };
  const auto linear = names.gpt2 ? Form::kTransposed : Form::kPlain;
  for (int64_t l = 0; l < shape.layers; ++l) {
    const auto ours = "model.layers." + std::to_string(l) + ".", theirs = names.layer + std::to_string(l) + ".";
    add(ours + "attention_norm", theirs + names.attention_norm, Form::kPlain, {width});
    add(ours + "attention.qkv", theirs + names.qkv, names.gpt2 ? Form::kQkvTransposed : Form::kQkv, {3 * width, width});
    add(ours + "attention.output", theirs + names.output, linear, {width, width});
    add(ours + "ffn_norm", theirs + names.ffn_norm, Form::kPlain, {width});
    add(ours + "up", theirs + names.up, linear, {shape.inner, width});
    add(ours + "down", theirs + names.down, linear, {width, shape.inner});
  }
  add("model.final_norm", names.final_norm, Form::kPlain, {width});
  if (!tied) entries.push_back({"model.head.weight", kHead, Form::kTable, {shape.vocabulary, width}});
  return entries;
}

// [heads, 3, head width, ...] to [3, heads, head width, ...] and back.
inline Tensor reordered(const Tensor& x, int64_t first, int64_t second) {
  auto sizes = x.sizes().vec();
  const int64_t width = sizes[0] / (first * second);
  sizes.erase(sizes.begin());
  sizes.insert(sizes.begin(), {first, second, width});
  return x.reshape(sizes).transpose(0, 1).reshape(x.sizes());
}

inline Tensor to_theirs(const Tensor& given, Form form, const Shape& shape) {
  const auto x = given.to(at::kFloat);
  if (form == Form::kTransposed) return x.t().contiguous();
  if (form == Form::kQkv) return reordered(x, shape.heads, 3);
  if (form == Form::kQkvTransposed) return reordered(x, shape.heads, 3).t().contiguous();
  return form == Form::kTable ? x.narrow(0, 0, shape.vocabulary).contiguous() : x;
}

inline Tensor to_ours(const Tensor& given, const Entry& entry, const Shape& shape) {
  const auto form = entry.form;
  auto sizes = entry.sizes;
  if (form == Form::kTransposed || form == Form::kQkvTransposed) std::swap(sizes[0], sizes[1]);
  if (given.sizes() != sizes)
    throw UserError("the tensor '" + entry.theirs + "' has sizes " + c10::str(given.sizes()) +
                    ", and by config.json it must have " + c10::str(at::IntArrayRef(sizes)));
  if (!at::isFloatingType(given.scalar_type()))
    throw UserError(
        "the tensor '" + entry.theirs + "' has dtype " + c10::toString(given.scalar_type()) +
        "; weights must have a floating-point dtype, so the file may be quantized; save it with plain weights");
  const auto x = given.to(at::kFloat);
  if (form == Form::kTransposed) return x.t().contiguous();
  if (form == Form::kQkv) return reordered(x, 3, shape.heads);
  if (form == Form::kQkvTransposed) return reordered(x.t(), 3, shape.heads);
  if (form != Form::kTable) return x.contiguous();
  return at::cat({x, at::zeros({shape.padded - shape.vocabulary, x.size(1)}, x.options())});
}

inline const Tensor* find_if_there(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [known, value] : tensors)
    if (known == name) return &value;
  return nullptr;
}

inline const Tensor& find(const NamedTensors& tensors, const std::string& name) {
  if (const auto* found = find_if_there(tensors, name)) return *found;
  throw UserError("the tensor '" + name + "' is missing");
}

// Some files contain the model without its head; their names lack the prefix.
inline NamedTensors with_prefix(NamedTensors tensors) {
  for (const auto& [name, value] : tensors)
    if (name.starts_with("transformer.")) return tensors;
  for (auto& [name, value] : tensors)
    if (name != kHead) name = "transformer." + name;
  return tensors;
}

// Whether the head is the token table, as transformers decides when it loads a file: a pair that config.json ties is
// untied where the file contains two different tensors. safetensors' save_model keeps one name of a tied pair, the
// head's; the table is then added under its own name.
inline bool resolve_tie(bool tied, NamedTensors& tensors) {
  if (!tied) return false;
  const auto *table = find_if_there(tensors, kTokenTable), *head = find_if_there(tensors, kHead);
  if (!head) return true;
  if (table) return table->to(at::kFloat).equal(head->to(at::kFloat));
  tensors.emplace_back(kTokenTable, *head);
  return true;
}

inline void refuse_surplus(const NamedTensors& tensors, const std::vector<Entry>& entries, bool tied) {
  std::set<std::string> used;
  for (const auto& entry : entries) used.insert(entry.theirs);
  if (tied) used.insert(kHead);
  for (const auto& [name, value] : tensors) {
    const bool is_causal_mask = name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias");  // in old files
    if (!used.count(name) && !is_causal_mask)
      throw UserError("the tensor '" + name + "' has no place in the model of config.json");
  }
}

}  // namespace
