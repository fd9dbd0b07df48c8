// Hugging Face transformers' folders: config.json and model.safetensors. Two of its models are the plugin gpt: GPT-2
// with learned positions (modeling_gpt2.py) and MPT with ALiBi (modeling_mpt.py). They keep Q, K and V one after the
// other, where gpt interleaves them by head; GPT-2's matrices are [in, out].
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/exchange.h"
#include "assay/plugin.h"

namespace {

using assay::NamedTensors;
using assay::Tensor;
using assay::UserError;
using nlohmann::json;

enum class Form { kPlain, kTransposed, kQkv, kQkvTransposed, kTable };  // kTable: rows of padding are ours alone

struct Entry {
  std::string ours, theirs;
  Form form = Form::kPlain;
};

struct Shape {
  int64_t layers, heads, vocabulary, padded;
};

std::vector<Entry> gpt2_entries(const Shape& shape, bool tied) {
  std::vector<Entry> entries{{"model.embedding.weight", "transformer.wte.weight", Form::kTable},
                             {"model.positional.weight", "transformer.wpe.weight"}};
  const auto both = [&](const std::string& ours, const std::string& theirs, Form weight, Form bias) {
    entries.push_back({ours + ".weight", theirs + ".weight", weight});
    entries.push_back({ours + ".bias", theirs + ".bias", bias});
  };
  for (int64_t l = 0; l < shape.layers; ++l) {
    const auto ours = "model.layers." + std::to_string(l), theirs = "transformer.h." + std::to_string(l);
    both(ours + ".attention_norm", theirs + ".ln_1", Form::kPlain, Form::kPlain);
    both(ours + ".attention.qkv", theirs + ".attn.c_attn", Form::kQkvTransposed, Form::kQkv);
    both(ours + ".attention.output", theirs + ".attn.c_proj", Form::kTransposed, Form::kPlain);
    both(ours + ".ffn_norm", theirs + ".ln_2", Form::kPlain, Form::kPlain);
    both(ours + ".up", theirs + ".mlp.c_fc", Form::kTransposed, Form::kPlain);
    both(ours + ".down", theirs + ".mlp.c_proj", Form::kTransposed, Form::kPlain);
  }
  both("model.final_norm", "transformer.ln_f", Form::kPlain, Form::kPlain);
  if (!tied) entries.push_back({"model.head.weight", "lm_head.weight", Form::kTable});
  return entries;
}

std::vector<Entry> mpt_entries(const Shape& shape, bool tied) {
  std::vector<Entry> entries{{"model.embedding.weight", "transformer.wte.weight", Form::kTable}};
  for (int64_t l = 0; l < shape.layers; ++l) {
    const auto ours = "model.layers." + std::to_string(l), theirs = "transformer.blocks." + std::to_string(l);
    entries.insert(entries.end(), {{ours + ".attention_norm.weight", theirs + ".norm_1.weight"},
                                   {ours + ".attention.qkv.weight", theirs + ".attn.Wqkv.weight", Form::kQkv},
                                   {ours + ".attention.output.weight", theirs + ".attn.out_proj.weight"},
                                   {ours + ".ffn_norm.weight", theirs + ".norm_2.weight"},
                                   {ours + ".up.weight", theirs + ".ffn.up_proj.weight"},
                                   {ours + ".down.weight", theirs + ".ffn.down_proj.weight"}});
  }
  entries.push_back({"model.final_norm.weight", "transformer.norm_f.weight"});
  if (!tied) entries.push_back({"model.head.weight", "lm_head.weight", Form::kTable});
  return entries;
}

// [heads, 3, head width, ...] to [3, heads, head width, ...] and back.
Tensor reordered(const Tensor& x, int64_t first, int64_t second) {
  auto sizes = x.sizes().vec();
  const int64_t width = sizes[0] / (first * second);
  sizes.erase(sizes.begin());
  sizes.insert(sizes.begin(), {first, second, width});
  return x.reshape(sizes).transpose(0, 1).reshape(x.sizes());
}

Tensor to_theirs(const Tensor& x, Form form, const Shape& shape) {
  if (form == Form::kTransposed) return x.t().contiguous();
  if (form == Form::kQkv) return reordered(x, shape.heads, 3);
  if (form == Form::kQkvTransposed) return reordered(x, shape.heads, 3).t().contiguous();
  return form == Form::kTable ? x.narrow(0, 0, shape.vocabulary).contiguous() : x;
}

Tensor to_ours(const Tensor& given, Form form, const Shape& shape) {
  const auto x = given.to(at::kFloat);
  if (form == Form::kTransposed) return x.t().contiguous();
  if (form == Form::kQkv) return reordered(x, 3, shape.heads);
  if (form == Form::kQkvTransposed) return reordered(x.t(), 3, shape.heads);
  if (form != Form::kTable) return x.contiguous();
  return at::cat({x, at::zeros({shape.padded - shape.vocabulary, x.size(1)}, x.options())});
}

const Tensor& find(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [known, value] : tensors)
    if (known == name) return value;
  throw UserError("the tensor '" + name + "' is missing");
}

std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw UserError(file + ": cannot be read");
  return text.str();
}

[[noreturn]] void refuse(const std::string& what) {
  throw UserError(what +
                  "; what there is in transformers: GPT-2 (positional 'learned', bias = true) and MPT (positional "
                  "'alibi' with a whole max_exponent, bias = false, gelu = \"erf\", ffn = 4 width), both without "
                  "embedding_norm");
}

class HuggingFace final : public assay::Exchange {
 public:
  struct Config {};
  static void describe(auto& schema) {
    schema.doc("Hugging Face transformers: GPT-2's layout for learned positions, MPT's for ALiBi.");
  }
  explicit HuggingFace(const Config&) {}

  std::string tensor_file() const override { return "model.safetensors"; }

  assay::ForeignModel to_foreign(const assay::OwnModel& own) const override {
    const auto model = json::parse(own.model);
    if (model.at("use") != "gpt") refuse("model '" + model.at("use").get<std::string>() + "' has no layout there");
    if (model.at("embedding_norm").get<bool>()) refuse("embedding_norm = true has no layout there");
    const std::string scheme = model.at("positional").at("use");
    const bool gpt2 = scheme == "learned";
    if (!gpt2 && scheme != "alibi") refuse("positional scheme '" + scheme + "' has no layout there");
    const Shape shape{model.at("layers"), model.at("heads"), own.vocabulary, 0};
    const bool tied = model.at("tied_head");
    assay::ForeignModel foreign;
    foreign.files["config.json"] = (gpt2 ? gpt2_config(model, own) : mpt_config(model, own)).dump(2) + "\n";
    for (const auto& [ours, theirs, form] : gpt2 ? gpt2_entries(shape, tied) : mpt_entries(shape, tied))
      foreign.tensors.emplace_back(theirs, to_theirs(find(own.tensors, ours), form, shape));
    if (const auto tokenizer = json::parse(own.tokenizer); gpt2 && tokenizer.at("use") == "bpe") {
      foreign.files["vocab.json"] = content_of(tokenizer.at("encoder").at("path"));
      foreign.files["merges.txt"] = content_of(tokenizer.at("merges").at("path"));
    }
    return foreign;
  }

  assay::OwnModel from_foreign(const assay::ForeignModel& given) const override {
    const auto file = given.files.find("config.json");
    if (file == given.files.end()) throw UserError("there is no config.json");
    const auto config = json::parse(file->second, nullptr, /*allow_exceptions=*/false);
    if (!config.is_object()) throw UserError("config.json is no JSON object");
    const auto type = config.value("model_type", "");
    if (type != "gpt2" && type != "mpt") refuse("model_type '" + type + "' is not known");
    const bool gpt2 = type == "gpt2", tied = config.value("tie_word_embeddings", true);
    auto model = gpt2 ? of_gpt2(config) : of_mpt(config);
    model["tied_head"] = tied;
    const int64_t vocabulary = config.at("vocab_size"), multiple = 8;
    const Shape shape{model.at("layers"), model.at("heads"), vocabulary,
                      (vocabulary + multiple - 1) / multiple * multiple};
    assay::OwnModel own;
    own.model = model.dump();
    own.vocabulary = vocabulary;
    own.end_of_text =
        config.value("eos_token_id", json()).is_number_integer() ? config["eos_token_id"].get<int64_t>() : 0;
    const auto tensors = with_prefix(given.tensors);
    for (const auto& [ours, theirs, form] : gpt2 ? gpt2_entries(shape, tied) : mpt_entries(shape, tied))
      own.tensors.emplace_back(ours, to_ours(find(tensors, theirs), form, shape));
    return own;
  }

 private:
  static json common(const assay::OwnModel& own, const json& model, const char* name, const char* type) {
    return {{"architectures", {name}},
            {"model_type", type},
            {"vocab_size", own.vocabulary},
            {"layer_norm_epsilon", 1e-5},
            {"initializer_range", model.at("init_std")},
            {"tie_word_embeddings", model.at("tied_head")},
            {"bos_token_id", own.end_of_text},
            {"eos_token_id", own.end_of_text},
            {"torch_dtype", "float32"}};
  }

  static json gpt2_config(const json& model, const assay::OwnModel& own) {
    if (!model.at("bias").get<bool>()) refuse("learned positions with bias = false have no layout there");
    auto config = common(own, model, "GPT2LMHeadModel", "gpt2");
    config.update({{"n_positions", model.at("positional").at("positions")},
                   {"n_embd", model.at("width")},
                   {"n_layer", model.at("layers")},
                   {"n_head", model.at("heads")},
                   {"n_inner", inner(model)},
                   {"activation_function", model.at("gelu") == "tanh" ? "gelu_new" : "gelu"},
                   {"resid_pdrop", model.at("dropout")},
                   {"embd_pdrop", model.at("dropout")},
                   {"attn_pdrop", model.at("dropout")}});
    return config;
  }

  // Dropout is left out: MptConfig takes whole numbers there.
  static json mpt_config(const json& model, const assay::OwnModel& own) {
    if (model.at("bias").get<bool>()) refuse("ALiBi with bias = true has no layout there");
    if (model.at("gelu") != "erf") refuse("ALiBi with gelu = \"tanh\" has no layout there");
    if (inner(model) != 4 * model.at("width").get<int64_t>())
      refuse("ALiBi with ffn other than 4 width has no layout there");
    const double exponent = model.at("positional").at("max_exponent");
    if (exponent != std::floor(exponent)) refuse("ALiBi with a broken max_exponent has no layout there");
    auto config = common(own, model, "MptForCausalLM", "mpt");
    config.update({{"d_model", model.at("width")},
                   {"n_layers", model.at("layers")},
                   {"n_heads", model.at("heads")},
                   {"expansion_ratio", 4},
                   {"max_seq_len", own.context},
                   {"learned_pos_emb", false},
                   {"no_bias", true},
                   {"use_cache", true},
                   {"attn_config", {{"alibi", true}, {"alibi_bias_max", static_cast<int64_t>(exponent)}}}});
    return config;
  }

  static int64_t inner(const json& model) {
    const int64_t ffn = model.at("ffn"), width = model.at("width");
    return ffn == 0 ? 4 * width : ffn;
  }

  static json of_gpt2(const json& config) {
    const auto activation = config.value("activation_function", "gelu_new");
    if (activation != "gelu_new" && activation != "gelu" && activation != "gelu_pytorch_tanh")
      refuse("activation_function '" + activation + "' is not known");
    if (config.value("layer_norm_epsilon", 1e-5) != 1e-5) refuse("layer_norm_epsilon other than 1e-5 is not known");
    if (config.value("scale_attn_by_inverse_layer_idx", false) || !config.value("scale_attn_weights", true))
      refuse("attention scores that are scaled otherwise are not known");
    const auto inner = config.value("n_inner", json());
    return {{"use", "gpt"},
            {"layers", config.at("n_layer")},
            {"width", config.at("n_embd")},
            {"heads", config.at("n_head")},
            {"ffn", inner.is_number_integer() ? inner : json(0)},
            {"bias", true},
            {"gelu", activation == "gelu" ? "erf" : "tanh"},
            {"dropout", config.value("resid_pdrop", 0.0)},
            {"positional", {{"use", "learned"}, {"positions", config.at("n_positions")}}}};
  }

  static json of_mpt(const json& config) {
    const auto attention = config.value("attn_config", json::object());
    const auto absent = [](const json& table, const char* key) { return !table.contains(key) || table[key].is_null(); };
    if (!attention.value("alibi", true) || attention.value("qk_ln", false) || attention.value("prefix_lm", false) ||
        !absent(attention, "clip_qkv") || !absent(attention, "softmax_scale") || !absent(config, "logit_scale") ||
        !config.value("no_bias", true) || config.value("layer_norm_epsilon", 1e-5) != 1e-5)
      refuse(
          "this MPT (alibi, qk_ln, prefix_lm, clip_qkv, softmax_scale, logit_scale, no_bias, layer_norm_epsilon) is "
          "not known");
    return {{"use", "gpt"},
            {"layers", config.at("n_layers")},
            {"width", config.at("d_model")},
            {"heads", config.at("n_heads")},
            {"ffn", 0},
            {"bias", false},
            {"gelu", "erf"},
            {"dropout", 0.0},
            {"positional", {{"use", "alibi"}, {"max_exponent", attention.value("alibi_bias_max", 8)}}}};
  }

  // Some files hold the model without its head, whose names begin one level below.
  static NamedTensors with_prefix(NamedTensors tensors) {
    for (const auto& [name, value] : tensors)
      if (name.starts_with("transformer.")) return tensors;
    for (auto& [name, value] : tensors)
      if (name != "lm_head.weight") name = "transformer." + name;
    return tensors;
  }
};

}  // namespace

ASSAY_PLUGIN("hf", "1.0.0", assay::component<HuggingFace>("hf"))
