// Hugging Face transformers' folders: config.json and model.safetensors. Two of its models are the plugin gpt: GPT-2
// with learned positions (modeling_gpt2.py) and MPT with ALiBi (modeling_mpt.py). They keep Q, K and V one after the
// other, where gpt interleaves them by head; GPT-2's matrices are [in, out].
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <vector>

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
  Form form;
  std::vector<int64_t> sizes;  // of ours; rows of padding left out
};

struct Shape {
  int64_t layers, heads, width, inner, vocabulary, padded;
  int64_t positions = 0;  // of a table
};

// What a layer consists of under either name. GPT-2's matrices are transposed, and everything has a bias.
struct Names {
  std::string layer, attention_norm, qkv, output, ffn_norm, up, down, final_norm;
  bool gpt2;
};
const Names kGpt2{"transformer.h.", "ln_1",       "attn.c_attn",      "attn.c_proj", "ln_2",
                  "mlp.c_fc",       "mlp.c_proj", "transformer.ln_f", true};
const Names kMpt{
    "transformer.blocks.", "norm_1", "attn.Wqkv", "attn.out_proj", "norm_2", "ffn.up_proj", "ffn.down_proj",
    "transformer.norm_f",  false};

std::vector<Entry> entries_of(const Names& names, const Shape& shape, bool tied) {
  const int64_t width = shape.width;
  std::vector<Entry> entries{
      {"model.embedding.weight", "transformer.wte.weight", Form::kTable, {shape.vocabulary, width}}};
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
  if (!tied) entries.push_back({"model.head.weight", "lm_head.weight", Form::kTable, {shape.vocabulary, width}});
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

Tensor to_theirs(const Tensor& given, Form form, const Shape& shape) {
  const auto x = given.to(at::kFloat);
  if (form == Form::kTransposed) return x.t().contiguous();
  if (form == Form::kQkv) return reordered(x, shape.heads, 3);
  if (form == Form::kQkvTransposed) return reordered(x, shape.heads, 3).t().contiguous();
  return form == Form::kTable ? x.narrow(0, 0, shape.vocabulary).contiguous() : x;
}

Tensor to_ours(const Tensor& given, const Entry& entry, const Shape& shape) {
  const auto form = entry.form;
  auto sizes = entry.sizes;
  if (form == Form::kTransposed || form == Form::kQkvTransposed) std::swap(sizes[0], sizes[1]);
  if (given.sizes() != sizes)
    throw UserError("the tensor '" + entry.theirs + "' has sizes " + c10::str(given.sizes()) +
                    ", by config.json it has " + c10::str(at::IntArrayRef(sizes)));
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
                  "'alibi' with max_exponent = 8, bias = false, gelu = \"erf\", ffn = 4 width), both without "
                  "embedding_norm");
}

// config.json, whose values are checked as they are read.
class Settings {
 public:
  explicit Settings(json config) : config_(std::move(config)) {}

  int64_t count(const char* key, int64_t most) const {
    const auto value = at(key);
    if (!value.is_number_integer() || value < 1 || value > most)
      wrong(key, "a whole number from 1 to " + std::to_string(most));
    return value;
  }
  std::string text(const char* key, const char* otherwise) const {
    const auto value = at(key);
    if (value.is_null()) return otherwise;
    if (!value.is_string()) wrong(key, "a string");
    return value;
  }
  bool flag(const char* key, bool otherwise) const {
    const auto value = at(key);
    if (value.is_null()) return otherwise;
    if (!value.is_boolean()) wrong(key, "true or false");
    return value;
  }
  double number(const char* key, double otherwise) const {
    const auto value = at(key);
    if (value.is_null()) return otherwise;
    if (!value.is_number()) wrong(key, "a number");
    return value;
  }
  bool has(const char* key) const { return !at(key).is_null(); }
  Settings inner(const char* key) const {
    const auto value = at(key);
    if (value.is_null()) return Settings(json::object());
    if (!value.is_object()) wrong(key, "a table");
    return Settings(value);
  }
  // The one value that assay's model is.
  template <class T>
  void must_be(const char* key, const T& value) const {
    if (has(key) && at(key) != json(value)) wrong(key, json(value).dump() + ", which is all that model 'gpt' can be");
  }
  void must_be_absent(const char* key) const {
    if (has(key)) wrong(key, "null, which is all that model 'gpt' can be");
  }

 private:
  json at(const char* key) const { return config_.value(key, json()); }
  [[noreturn]] void wrong(const char* key, const std::string& allowed) const {
    throw UserError("config.json: '" + std::string(key) + "' is " + at(key).dump() + "; it must be " + allowed);
  }

  json config_;
};

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
    const Shape shape{.layers = model.at("layers"),
                      .heads = model.at("heads"),
                      .width = model.at("width"),
                      .inner = inner(model),
                      .vocabulary = own.vocabulary,
                      .padded = 0};
    assay::ForeignModel foreign;
    foreign.files["config.json"] = (gpt2 ? gpt2_config(model, own) : mpt_config(model, own)).dump(2) + "\n";
    for (const auto& entry : entries_of(gpt2 ? kGpt2 : kMpt, shape, model.at("tied_head")))
      foreign.tensors.emplace_back(entry.theirs, to_theirs(find(own.tensors, entry.ours), entry.form, shape));
    if (const auto tokenizer = json::parse(own.tokenizer); tokenizer.at("use") == "bpe") {
      foreign.files["vocab.json"] = content_of(tokenizer.at("encoder").at("path"));
      foreign.files["merges.txt"] = content_of(tokenizer.at("merges").at("path"));
      foreign.files["tokenizer_config.json"] = "{\"tokenizer_class\": \"GPT2Tokenizer\"}\n";
    }
    return foreign;
  }

  assay::OwnModel from_foreign(const assay::ForeignModel& given) const override {
    const auto file = given.files.find("config.json");
    if (file == given.files.end()) throw UserError("there is no config.json");
    auto parsed = json::parse(file->second, nullptr, /*allow_exceptions=*/false);
    if (!parsed.is_object()) throw UserError("config.json is no JSON object");
    const Settings config(std::move(parsed));
    const auto type = config.text("model_type", "");
    if (type != "gpt2" && type != "mpt") refuse("model_type '" + type + "' is not known");
    const bool gpt2 = type == "gpt2", tied = config.flag("tie_word_embeddings", true);
    const auto model = gpt2 ? of_gpt2(config, tied) : of_mpt(config, tied);
    const int64_t vocabulary = config.count("vocab_size", kMost), multiple = model.at("vocab_multiple");
    const Shape shape{.layers = model.at("layers"),
                      .heads = model.at("heads"),
                      .width = model.at("width"),
                      .inner = inner(model),
                      .vocabulary = vocabulary,
                      .padded = (vocabulary + multiple - 1) / multiple * multiple,
                      .positions = model.at("positional").value("positions", int64_t{0})};
    if (shape.width % shape.heads != 0) refuse("a width that the heads do not divide has no layout here");
    assay::OwnModel own;
    own.model = model.dump();
    own.vocabulary = vocabulary;
    const auto tensors = with_prefix(given.tensors);
    std::set<std::string> used;
    for (const auto& entry : entries_of(gpt2 ? kGpt2 : kMpt, shape, tied)) {
      own.tensors.emplace_back(entry.ours, to_ours(find(tensors, entry.theirs), entry, shape));
      used.insert(entry.theirs);
    }
    for (const auto& [name, value] : tensors)
      if (!used.count(name) && !is_known_surplus(name, tied, tensors))
        throw UserError("the tensor '" + name + "' has no place in the model of config.json");
    return own;
  }

 private:
  static constexpr int64_t kMost = 1 << 24;

  // The causal masks of old files, and a head that is the token table.
  static bool is_known_surplus(const std::string& name, bool tied, const NamedTensors& tensors) {
    if (name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias")) return true;
    return name == "lm_head.weight" && tied && find(tensors, name).equal(find(tensors, "transformer.wte.weight"));
  }

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

  // Dropout is left out: MptConfig takes whole numbers there. alibi_bias_max is read by nothing in transformers, which
  // always takes 8.
  static json mpt_config(const json& model, const assay::OwnModel& own) {
    if (model.at("bias").get<bool>()) refuse("ALiBi with bias = true has no layout there");
    if (model.at("gelu") != "erf") refuse("ALiBi with gelu = \"tanh\" has no layout there");
    if (inner(model) != 4 * model.at("width").get<int64_t>())
      refuse("ALiBi with ffn other than 4 width has no layout there");
    if (model.at("positional").at("max_exponent") != 8.0)
      refuse("ALiBi with a max_exponent other than 8 has no layout there");
    auto config = common(own, model, "MptForCausalLM", "mpt");
    config.update({{"d_model", model.at("width")},
                   {"n_layers", model.at("layers")},
                   {"n_heads", model.at("heads")},
                   {"expansion_ratio", 4},
                   {"max_seq_len", own.context},
                   {"learned_pos_emb", false},
                   {"no_bias", true},
                   {"use_cache", true},
                   {"attn_config", {{"alibi", true}, {"alibi_bias_max", 8}}}});
    return config;
  }

  static int64_t inner(const json& model) {
    const int64_t ffn = model.at("ffn"), width = model.at("width");
    return ffn == 0 ? 4 * width : ffn;
  }

  static json of_gpt2(const Settings& config, bool tied) {
    const auto activation = config.text("activation_function", "gelu_new");
    if (activation != "gelu_new" && activation != "gelu" && activation != "gelu_pytorch_tanh")
      refuse("activation_function '" + activation + "' is not known");
    config.must_be("layer_norm_epsilon", 1e-5);
    config.must_be("scale_attn_weights", true);
    config.must_be("scale_attn_by_inverse_layer_idx", false);
    config.must_be("add_cross_attention", false);
    return {{"use", "gpt"},
            {"layers", config.count("n_layer", 1024)},
            {"width", config.count("n_embd", 1 << 16)},
            {"heads", config.count("n_head", 1 << 12)},
            {"ffn", config.has("n_inner") ? config.count("n_inner", 1 << 18) : 0},
            {"bias", true},
            {"gelu", activation == "gelu" ? "erf" : "tanh"},
            {"tied_head", tied},
            {"dropout", config.number("resid_pdrop", 0.1)},
            {"vocab_multiple", 8},
            {"positional", {{"use", "learned"}, {"positions", config.count("n_positions", kMost)}}}};
  }

  static json of_mpt(const Settings& config, bool tied) {
    const auto attention = config.inner("attn_config");
    attention.must_be("alibi", true);
    attention.must_be("alibi_bias_max", 8);
    attention.must_be("qk_ln", false);
    attention.must_be("prefix_lm", false);
    attention.must_be_absent("clip_qkv");
    attention.must_be_absent("softmax_scale");
    config.must_be("no_bias", true);
    config.must_be("layer_norm_epsilon", 1e-5);
    config.must_be("expansion_ratio", 4);
    config.must_be_absent("logit_scale");
    return {{"use", "gpt"},
            {"layers", config.count("n_layers", 1024)},
            {"width", config.count("d_model", 1 << 16)},
            {"heads", config.count("n_heads", 1 << 12)},
            {"ffn", 0},
            {"bias", false},
            {"gelu", "erf"},
            {"tied_head", tied},
            {"dropout", 0.0},
            {"vocab_multiple", 8},
            {"positional", {{"use", "alibi"}, {"max_exponent", 8.0}}}};
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
