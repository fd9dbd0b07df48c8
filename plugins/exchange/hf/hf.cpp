// Folders of Hugging Face transformers: config.json, model.safetensors and the tokenizer's files. Two of its models
// match the plugin gpt: GPT-2, with learned positions, and MPT, with ALiBi. T5 is the plugin t5.
#include <nlohmann/json.hpp>
#include <string>

#include "assay/exchange.h"
#include "assay/plugin.h"
#include "layouts.h"
#include "models.h"
#include "t5.h"
#include "tokenizer_files.h"

namespace {

class HuggingFace final : public assay::Exchange {
 public:
  struct Config {
    int64_t max_seq_len = 0;
    bool tokenizer = true;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Hugging Face transformers: GPT-2's layout for learned positions (with bias = true), MPT's for "
            "ALiBi (with max_exponent = 8, bias = false, gelu = \"erf\", ffn = 4 width); both without "
            "embedding_norm; and T5's for model 't5' with positional 't5' on both sides. Other configurations, models "
            "and "
            "positional schemes cannot be exported. "
            "Tokenizers 'bytes' and 'bpe' are exported too; transformers encodes text that spells a special "
            "token as that token, unless split_special_tokens is set.")
        .param("max_seq_len", &Config::max_seq_len,
               "MPT's max_seq_len: the longest input of an exported ALiBi model in transformers; 0: 8 times the "
               "context length.",
               0, kMost)
        .param("tokenizer", &Config::tokenizer, "Whether an export writes the tokenizer too.");
  }
  explicit HuggingFace(const Config& config) : config_(config) {}

  std::string tensor_file() const override { return "model.safetensors"; }

  void check(const assay::OwnModel& own) const override { files_of(own); }

  assay::ForeignModel to_foreign(const assay::OwnModel& own) const override {
    const auto model = json::parse(own.model);
    assay::ForeignModel foreign{files_of(own), {}};
    if (model.at("use") == "t5") {
      foreign.tensors = t5_to_foreign(own.tensors, t5_shape(model, own));
      return foreign;
    }
    const Shape shape{.layers = model.at("layers"),
                      .heads = model.at("heads"),
                      .width = model.at("width"),
                      .inner = inner_width(model),
                      .vocabulary = own.vocabulary,
                      .padded = 0};
    for (const auto& entry : entries_of(is_gpt2(model) ? kGpt2 : kMpt, shape, model.at("tied_head")))
      foreign.tensors.emplace_back(entry.theirs, to_theirs(find(own.tensors, entry.ours), entry.form, shape));
    return foreign;
  }

  assay::OwnModel from_foreign(const assay::ForeignModel& given) const override {
    const auto file = given.files.find("config.json");
    if (file == given.files.end()) throw UserError("config.json is missing");
    auto parsed = json::parse(file->second, nullptr, /*allow_exceptions=*/false);
    if (!parsed.is_object()) throw UserError("config.json is not a JSON object");
    const Settings config(std::move(parsed));
    const auto type = config.text("model_type", "");
    if (type == "t5") return t5_from_foreign(config, given.tensors);
    if (type != "gpt2" && type != "mpt") refuse("model_type '" + type + "' is not supported");
    const bool gpt2 = type == "gpt2";
    auto model = gpt2 ? model_of_gpt2(config) : model_of_mpt(config);
    auto tensors = with_prefix(given.tensors);
    const bool tied = resolve_tie(config.flag("tie_word_embeddings", true), tensors);
    model["tied_head"] = tied;
    const int64_t vocabulary = config.count("vocab_size", kMost), multiple = model.at("vocab_multiple");
    const Shape shape{.layers = model.at("layers"),
                      .heads = model.at("heads"),
                      .width = model.at("width"),
                      .inner = inner_width(model),
                      .vocabulary = vocabulary,
                      .padded = (vocabulary + multiple - 1) / multiple * multiple,
                      .positions = model.at("positional").value("positions", int64_t{0})};
    if (shape.width % shape.heads != 0) refuse("the width is not a multiple of the heads");
    assay::OwnModel own;
    own.model = model.dump();
    own.vocabulary = vocabulary;
    const auto entries = entries_of(gpt2 ? kGpt2 : kMpt, shape, tied);
    for (const auto& entry : entries)
      own.tensors.emplace_back(entry.ours, to_ours(find(tensors, entry.theirs), entry, shape));
    refuse_surplus(tensors, entries, tied);
    return own;
  }

 private:
  std::map<std::string, std::string> files_of(const assay::OwnModel& own) const {
    const auto model = json::parse(own.model);
    if (model.at("use") == "t5") {
      std::map<std::string, std::string> files;
      if (config_.tokenizer) files = tokenizer_files(own, own.context);
      files["config.json"] = t5_config(model, own).dump(2) + "\n";
      return files;
    }
    const bool gpt2 = is_gpt2(model);
    constexpr int64_t kContexts = 8;
    const int64_t max_seq_len = config_.max_seq_len == 0 ? kContexts * own.context : config_.max_seq_len;
    if (!gpt2 && max_seq_len < own.context)
      throw UserError("max_seq_len = " + std::to_string(max_seq_len) +
                      " is less than the context length of training, " + std::to_string(own.context) +
                      "; transformers would refuse inputs of that length");
    const auto config = gpt2 ? gpt2_config(model, own) : mpt_config(model, own, max_seq_len);
    std::map<std::string, std::string> files;
    if (config_.tokenizer)
      files = tokenizer_files(own, gpt2 ? model.at("positional").at("positions").get<int64_t>() : max_seq_len);
    files["config.json"] = config.dump(2) + "\n";
    return files;
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("hf", "1.1.0", assay::component<HuggingFace>("hf"))
