// T5 as transformers computes it (tests/vectors/t5_hf.py): imported weights give its states, logits and greedy text, on
// every mesh and with the cache; exported weights are the file's again; what T5 cannot express is refused.
#include <ATen/ops/argmax.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include "assay/exchange.h"
#include "base/files.h"
#include "fakes.h"
#include "mesh/backends.h"
#include "nn/store.h"
#include "unit/source_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Ids = std::vector<int64_t>;

class Numbers final : public Tokenizer {
 public:
  int64_t size() const override { return 24; }
  std::vector<int32_t> encode(std::string_view) const override { return {}; }
  std::string decode(const std::vector<int32_t>&) const override { return ""; }
};

Tensor tensor_of(const json& given) {
  return at::tensor(given["values"].get<std::vector<double>>(), at::kDouble).view(given["shape"].get<Ids>());
}

struct T5 : ::testing::TestWithParam<const char*> {
  json vectors = json::parse(base::read_file(source_folder() / "tests/vectors/t5_hf.json"));
  json given = vectors["models"][GetParam()];
  Made<Exchange> exchange = make<Exchange>("hf");
  Numbers tokenizer;
  Vocabulary vocabulary{tokenizer, 24, {{kEndOfText, 0}}};

  ForeignModel folder() const {
    ForeignModel folder;
    folder.files["config.json"] = given["config"].dump();
    for (const auto& [name, value] : given["state_dict"].items()) folder.tensors.emplace_back(name, tensor_of(value));
    return folder;
  }
  OwnModel imported() const { return exchange->from_foreign(folder()); }

  // Calls body with the model and these weights in fp64 on every rank.
  void on_ranks(int ranks, const OwnModel& own, const std::function<void(Model&, const Mesh&)>& body) const {
    mesh::run_ranks(ranks, 1, [&](Mesh& mesh) {
      Made<Model> model("t5", json::parse(own.model));
      auto store = std::make_shared<Parameters::Store>(
          Parameters::Store{&mesh, at::TensorOptions().dtype(at::kDouble), 1, true});
      const Parameters all(store, "");
      const char* names[] = {"model.positional.", "model.encoder_positional.", "model."};
      ASSERT_EQ(model.all().size(), 3u);
      for (size_t i = 0; i < 3; ++i) {
        model.all()[i]->bind(vocabulary);
        Parameters scope(store, names[i]);
        model.all()[i]->build(scope);
      }
      ASSERT_EQ(store->parameters.size(), own.tensors.size());
      for (auto& parameter : store->parameters) {
        const auto found = std::find_if(own.tensors.begin(), own.tensors.end(),
                                        [&](const auto& entry) { return entry.first == parameter.spec.name; });
        ASSERT_NE(found, own.tensors.end()) << parameter.spec.name;
        auto value = found->second.to(at::kDouble);
        ASSERT_EQ(value.sizes(), parameter.spec.shape) << parameter.spec.name;
        if (const auto dim = parameter.spec.shard_dim; dim >= 0) {
          const auto size = value.size(dim) / ranks;
          value = value.narrow(dim, size * mesh.tensor().rank(), size);
        }
        const c10::NoGradGuard no_grad;
        parameter.value.copy_(value);
      }
      const c10::NoGradGuard no_grad;
      body(*model, mesh);
    });
  }

  // Sources and decoder inputs as rows: a decoder input begins with the last token of its source.
  Batch rows() const {
    const auto sources = vectors["sources"].get<std::vector<Ids>>(),
               inputs = vectors["decoder_inputs"].get<std::vector<Ids>>();
    Batch batch;
    batch.tokens = at::zeros({2, 11}, at::kLong);
    batch.key_mask = at::zeros({2, 11}, at::kBool);
    batch.source_length = at::zeros({2}, at::kLong);
    for (int64_t row = 0; row < 2; ++row) {
      const auto at = static_cast<size_t>(row);
      auto ids = sources[at];
      EXPECT_EQ(ids.back(), inputs[at].front());
      ids.insert(ids.end(), inputs[at].begin() + 1, inputs[at].end());
      for (size_t t = 0; t < ids.size(); ++t) {
        batch.tokens[row][static_cast<int64_t>(t)] = ids[t];
        batch.key_mask[row][static_cast<int64_t>(t)] = true;
      }
      batch.source_length[row] = static_cast<int64_t>(sources[at].size());
    }
    return batch;
  }

  Tensor whole_logits(Model& model, const Tensor& hidden, const Mesh& mesh) const {
    return gather_from_tensor_parallel_region(model.logits(hidden), -1, mesh).narrow(-1, 0, 24);
  }
};

// The file's float32 weights have six decimals, which assay's import keeps as float32; so logits agree to about 1e-6.
TEST_P(T5, LogitsAreThoseOfTransformers) {
  const auto own = imported();
  for (const int ranks : {1, 2})
    on_ranks(ranks, own, [&](Model& model, const Mesh& mesh) {
      const auto batch = rows();
      const auto logits = whole_logits(model, model.forward(batch, {}).final_BTD, mesh);
      double largest = 0;
      for (int64_t row = 0; row < 2; ++row) {
        const auto first = batch.source_length[row].item<int64_t>() - 1;
        const auto& expected = given["logits"][static_cast<size_t>(row)];
        for (size_t t = 0; t < expected.size(); ++t) {
          const auto theirs = at::tensor(expected[t].get<std::vector<double>>(), at::kDouble);
          largest =
              std::max(largest, (logits[row][first + static_cast<int64_t>(t)] - theirs).abs().max().item<double>());
        }
      }
      EXPECT_LE(largest, 1e-5) << ranks;
    });
}

TEST_P(T5, GreedyTextIsThatOfTransformers) {
  on_ranks(1, imported(), [&](Model& model, const Mesh& mesh) {
    // The second source is padded on the left, as prompts are.
    const auto sources = vectors["sources"].get<std::vector<Ids>>();
    auto tokens = at::zeros({2, 7}, at::kLong);
    auto mask = at::zeros({2, 7}, at::kBool);
    for (int64_t row = 0; row < 2; ++row) {
      const auto& source = sources[static_cast<size_t>(row)];
      for (size_t t = 0; t < source.size(); ++t) {
        const auto at = static_cast<int64_t>(7 - source.size() + t);
        tokens[row][at] = source[t];
        mask[row][at] = true;
      }
    }
    Cache cache;
    auto states = model.extend(cache, tokens, mask).final_BTD;
    EXPECT_EQ(states.narrow(1, 0, 6).abs().max().item<double>(), 0);
    std::vector<Ids> generated(2);
    for (int step = 0; step < 6; ++step) {
      const auto next = at::argmax(whole_logits(model, states.select(1, states.size(1) - 1), mesh), -1);
      for (int64_t row = 0; row < 2; ++row) generated[static_cast<size_t>(row)].push_back(next[row].item<int64_t>());
      states = model.extend(cache, next.unsqueeze(1), at::ones({2, 1}, at::kBool)).final_BTD;
    }
    EXPECT_EQ(generated, given["generated"].get<std::vector<Ids>>());
  });
}

TEST_P(T5, ExportIsTheFileAgain) {
  auto own = imported();
  own.special = {{kEndOfText, 0}};
  own.context = 64;
  auto model = json::parse(own.model);  // as a plan has it, with every default
  for (const char* key : {"positional", "encoder_positional"})
    model[key].update({{"rule", "t5"}, {"positions", 0}, {"init_std", 0.02}});
  own.model = model.dump();
  const auto exporter = make<Exchange>("hf", {{"tokenizer", false}});
  const auto made = exporter->to_foreign(own);
  ASSERT_EQ(made.tensors.size(), given["state_dict"].size());
  for (const auto& [name, value] : made.tensors) {
    const auto expected = tensor_of(given["state_dict"].at(name));
    ASSERT_EQ(value.sizes(), expected.sizes()) << name;
    EXPECT_LE((value.to(at::kDouble) - expected).abs().max().item<double>(), 1e-6) << name;
  }
  const auto config = json::parse(made.files.at("config.json"));
  for (const char* key : {"vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_decoder_layers", "num_heads",
                          "relative_attention_num_buckets", "relative_attention_max_distance", "feed_forward_proj",
                          "layer_norm_epsilon", "scale_decoder_outputs", "is_encoder_decoder", "model_type"})
    EXPECT_EQ(config.at(key), given["config"].at(key)) << key;
  const auto refusal = [&](const json& change) {
    auto other = own;
    auto changed = model;
    changed.merge_patch(change);
    other.model = changed.dump();
    try {
      exporter->check(other);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_THAT(refusal({{"positional", {{"use", "alibi"}}}}),
              HasSubstr("positional scheme 'alibi' has no layout in T5"));
  EXPECT_THAT(refusal({{"encoder_positional", {{"buckets", 16}}}}),
              HasSubstr("different buckets of encoder and decoder"));
  EXPECT_THAT(refusal({{"encoder_positional", {{"rule", "cocolm"}}}}), HasSubstr("the rule of COCO-LM"));
}

// How a head is tied and scaled, as transformers decides when it loads a file.
TEST_P(T5, HeadsAreTiedAndScaledAsTransformersDoes) {
  const bool untied = given["state_dict"].contains("lm_head.weight");
  EXPECT_EQ(json::parse(imported().model)["tied_head"], !untied);
  const auto imported_with = [&](const json& change) {
    auto changed = folder();
    auto config = given["config"];
    for (const auto& [key, value] : change.items())
      if (value.is_null())
        config.erase(key);
      else
        config[key] = value;
    changed.files["config.json"] = config.dump();
    try {
      const auto own = exchange->from_foreign(changed);
      for (const auto& [name, value] : own.tensors)
        if (name == "model.head.weight") return value.abs().max().item<double>();
      return 0.0;
    } catch (const UserError&) {
      return -1.0;
    }
  };
  const auto as_it_is = imported_with(json::object());
  if (!untied) {
    EXPECT_EQ(as_it_is, 0);
    EXPECT_EQ(imported_with({{"scale_decoder_outputs", false}}), -1);  // no such model here
    EXPECT_EQ(imported_with({{"scale_decoder_outputs", nullptr}}), 0);
    return;
  }
  EXPECT_GT(as_it_is, 0);
  EXPECT_NEAR(imported_with({{"scale_decoder_outputs", true}}), as_it_is / std::sqrt(8.0), 1e-6);
  EXPECT_EQ(imported_with({{"scale_decoder_outputs", nullptr}, {"tie_word_embeddings", false}}), as_it_is);
  EXPECT_EQ(imported_with({{"feed_forward_proj", "gated-silu"}}), -1);
  EXPECT_EQ(imported_with({{"layer_norm_epsilon", 1e-5}}), -1);
  EXPECT_EQ(imported_with({{"unknown_key", 1}}), -1);
}

INSTANTIATE_TEST_SUITE_P(Models, T5, ::testing::Values("v1_0", "v1_1"));

}  // namespace
}  // namespace assay::testing
