// The encoder against plain loops, padding, and embeddings that two encoders share.
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>

#include "assay/model.h"
#include "fakes.h"
#include "mesh/backends.h"
#include "nn/store.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Vector = std::vector<double>;
using Rows = std::vector<Vector>;

constexpr int64_t kVocabulary = 10, kWidth = 4, kHeads = 2, kFfn = 6;

struct Encoder {
  explicit Encoder(json parameters = json::object()) : model(make<Model>("bert", filled(std::move(parameters)))) {
    model->bind(vocabulary);
    Parameters scope(store, "model.");
    model->build(scope);
    // Norms and biases are initialised to ones and zeros, which would hide an error.
    for (auto& [spec, value] : store->parameters)
      if (spec.shape.size() == 1) {
        const Draws draws(4, spec.name);
        for (int64_t i = 0; i < value.numel(); ++i) value.detach()[i] += 0.3 * draws.normal(static_cast<uint64_t>(i));
      }
  }
  static json filled(json given) {
    const json fixed = {{"layers", 2}, {"width", kWidth}, {"heads", kHeads}, {"ffn", kFfn}, {"init_std", 0.5}};
    given.update(fixed);
    return given;
  }
  Tensor hidden(const std::vector<int64_t>& ids, int64_t padded = 0) const {
    Batch batch;
    batch.tokens = at::tensor(ids, at::kLong).unsqueeze(0);
    if (padded > 0) {
      batch.key_mask = at::ones({1, batch.length()}, at::kBool);
      batch.key_mask.narrow(1, batch.length() - padded, padded).fill_(false);
    }
    return model->forward(batch, {}).final_BTD[0];
  }
  Vector weights(const std::string& name) const {
    for (const auto& [spec, value] : store->parameters)
      if (spec.name == "model." + name) return values_of(value);
    throw std::runtime_error("no parameter " + name);
  }

  Made<Tokenizer> bytes = make<Tokenizer>("bytes");
  Vocabulary vocabulary{*bytes, kVocabulary, {{"[CLS]", 7}, {"[MASK]", 8}, {"[PAD]", 9}}};
  std::unique_ptr<Mesh> mesh = mesh::shape_mesh(1, 1);
  std::shared_ptr<Parameters::Store> store =
      std::make_shared<Parameters::Store>(Parameters::Store{mesh.get(), at::TensorOptions().dtype(at::kDouble), 3});
  Made<Model> model;
};

// y = W x + b.
Vector affine(const Encoder& encoder, const std::string& name, const Vector& x) {
  const auto w = encoder.weights(name + ".weight"), b = encoder.weights(name + ".bias");
  Vector y = b;
  for (size_t o = 0; o < y.size(); ++o)
    for (size_t i = 0; i < x.size(); ++i) y[o] += w[o * x.size() + i] * x[i];
  return y;
}
Vector norm(const Encoder& encoder, const std::string& name, Vector x) {
  const auto w = encoder.weights(name + ".weight"), b = encoder.weights(name + ".bias");
  double mean = 0, square = 0;
  for (const double v : x) mean += v / static_cast<double>(x.size());
  for (const double v : x) square += (v - mean) * (v - mean) / static_cast<double>(x.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = (x[i] - mean) / std::sqrt(square + 1e-5) * w[i] + b[i];
  return x;
}
Vector sum(Vector x, const Vector& y) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
  return x;
}
double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }

// Every position attends to all positions. Rows of q, k, v: head, then which of the three, then channel.
Rows attend(const Encoder& encoder, const std::string& layer, const Rows& x) {
  constexpr size_t kChannels = kWidth / kHeads;
  Rows qkv, out;
  for (const auto& row : x) qkv.push_back(affine(encoder, layer + ".attention.qkv", row));
  for (size_t q = 0; q < x.size(); ++q) {
    Vector mixed(kWidth, 0);
    for (size_t h = 0; h < kHeads; ++h) {
      const size_t at = h * 3 * kChannels;
      Vector weight;
      double all = 0;
      for (size_t s = 0; s < x.size(); ++s) {
        double score = 0;
        for (size_t c = 0; c < kChannels; ++c) score += qkv[q][at + c] * qkv[s][at + kChannels + c];
        weight.push_back(std::exp(score / std::sqrt(double{kChannels})));
        all += weight.back();
      }
      for (size_t s = 0; s < x.size(); ++s)
        for (size_t c = 0; c < kChannels; ++c)
          mixed[h * kChannels + c] += weight[s] / all * qkv[s][at + 2 * kChannels + c];
    }
    out.push_back(affine(encoder, layer + ".attention.output", mixed));
  }
  return out;
}

Rows encoded(const Encoder& encoder, const std::vector<int64_t>& ids, bool post) {
  const auto table = encoder.weights("embedding.weight");
  Rows x;
  for (const auto id : ids) {
    const auto row = table.begin() + id * kWidth;
    x.push_back(norm(encoder, "embedding_norm", {row, row + kWidth}));
  }
  for (const std::string layer : {"layers.0", "layers.1"}) {
    auto before = x;
    if (!post)
      for (auto& row : before) row = norm(encoder, layer + ".attention_norm", row);
    const auto attended = attend(encoder, layer, before);
    for (size_t t = 0; t < x.size(); ++t) {
      x[t] = sum(x[t], attended[t]);
      if (post) x[t] = norm(encoder, layer + ".attention_norm", x[t]);
      auto inner = affine(encoder, layer + ".up", post ? x[t] : norm(encoder, layer + ".ffn_norm", x[t]));
      for (auto& v : inner) v = gelu(v);
      x[t] = sum(x[t], affine(encoder, layer + ".down", inner));
      if (post) x[t] = norm(encoder, layer + ".ffn_norm", x[t]);
    }
  }
  if (!post)
    for (auto& row : x) row = norm(encoder, "final_norm", row);
  return x;
}

void expect_near(const Vector& found, const Vector& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12) << i;
}

TEST(Bert, EqualsPlainLoops) {
  const std::vector<int64_t> ids{7, 1, 4, 8, 4};
  for (const char* where : {"post", "pre"}) {
    const Encoder encoder(json{{"norm", where}});
    const auto rows = encoded(encoder, ids, where == std::string("post"));
    Vector all;
    for (const auto& row : rows) all.insert(all.end(), row.begin(), row.end());
    expect_near(values_of(encoder.hidden(ids)), all);
    // The output: dense, GELU and norm, then the token table and its bias.
    auto head = affine(encoder, "head.dense", rows[3]);
    for (auto& v : head) v = gelu(v);
    head = norm(encoder, "head.norm", head);
    const auto table = encoder.weights("embedding.weight"), bias = encoder.weights("head.bias");
    Vector logits(bias.begin(), bias.begin() + kVocabulary);
    for (size_t id = 0; id < kVocabulary; ++id)
      for (size_t d = 0; d < kWidth; ++d) logits[id] += table[id * kWidth + d] * head[d];
    const auto found = values_of(encoder.model->logits(encoder.hidden(ids)[3]));
    expect_near({found.begin(), found.begin() + kVocabulary}, logits);
  }
}

TEST(Bert, PaddingChangesNoOtherState) {
  for (const json& scheme : {json{{"use", "none"}}, json{{"use", "alibi"}}, json{{"use", "rotary"}}}) {
    const Encoder encoder(json{{"positional", scheme}});
    const auto alone = encoder.hidden({7, 1, 2, 3});
    for (const int64_t under : {9, 5}) {
      const auto padded = encoder.hidden({7, 1, 2, 3, under, under}, 2);
      EXPECT_LE((padded.narrow(0, 0, 4) - alone).abs().max().item<double>(), 1e-12) << scheme;
      EXPECT_TRUE(padded.isfinite().all().item<bool>());
    }
    EXPECT_TRUE(encoder.hidden({9, 9}, 2).isfinite().all().item<bool>());
  }
}

// Symmetric ALiBi: a reversed text gives the same states in reversed order.
TEST(Bert, SeesBothSidesEquallyWithAlibi) {
  const Encoder encoder(json{{"positional", {{"use", "alibi"}}}});
  const auto one = encoder.hidden({1, 2, 3, 4, 5}), other = encoder.hidden({5, 4, 3, 2, 1}).flip(0);
  EXPECT_LE((one - other).abs().max().item<double>(), 1e-12);
  EXPECT_GT((one - encoder.hidden({2, 1, 3, 4, 5})).abs().max().item<double>(), 1e-3);  // but the order matters
}

TEST(Bert, ThePadEmbeddingStartsAsZeros) {
  const Encoder encoder;
  const auto table = encoder.weights("embedding.weight");
  for (size_t d = 0; d < kWidth; ++d) {
    EXPECT_EQ(table[9 * kWidth + d], 0);
    EXPECT_NE(table[8 * kWidth + d], 0);
  }
}

TEST(Bert, CountsItsFlops) {
  const Encoder encoder;
  // Two layers: q, k, v and output 4 D^2, feed-forward 2 D F, scores and mixing 2 T D, each times T and 2.
  const double layer = 2 * 5 * (4 * 16 + 2 * 4 * 6 + 2 * 5 * 4);
  EXPECT_EQ(encoder.model->forward_flops(5, 0), 2 * layer);
  EXPECT_EQ(encoder.model->forward_flops(5, 3), 2 * layer + 3 * 2 * (16 * 4 + 4 * 4));  // 10 tokens padded to 16
}

TEST(Bert, RefusesInvalidInputs) {
  const Encoder encoder;
  Cache cache;
  EXPECT_THAT([&] { encoder.model->extend(cache, at::tensor({1}, at::kLong).unsqueeze(0), {}); },
              ::testing::ThrowsMessage<std::exception>(HasSubstr("a bidirectional model cannot extend")));
  EXPECT_THAT(
      [] {
        Encoder(json{{"activation_dropout", 0.1}, {"positional", {{"use", "none"}}}});
      },
      ::testing::Not(::testing::Throws<std::exception>()));
  EXPECT_THAT(
      [] {
        make<Model>("bert", {{"width", 8}, {"heads", 4}, {"ffn", 6}, {"activation_dropout", 0.1}});
      },
      ::testing::ThrowsMessage<std::exception>(HasSubstr("6 is not a multiple of 4")));
}

// Two encoders share one token table, one norm and one table of positions.
TEST(Bert, SharesEmbeddingsWithAnotherModel) {
  const json scheme = {{"use", "combine"}, {"schemes", {{{"use", "learned"}, {"positions", 8}}, {{"use", "t5"}}}}};
  const auto names_of_second = [&](bool positions) {
    const Encoder first(json{{"positional", scheme}});
    // As the core builds them: children before their parents.
    loader::Instances instances(registry());
    auto parameters = Encoder::filled({{"positional", scheme}});
    parameters["use"] = "bert";
    std::shared_ptr<Parameters::Store> store =
        std::make_shared<Parameters::Store>(Parameters::Store{first.mesh.get(), first.store->options, 3});
    instances.create<Model>(parameters, "model");
    auto& second = instances.create<Model>(parameters, "second");
    second.share_embeddings("model", positions);
    for (auto* component : instances.all()) {
      component->bind(first.vocabulary);
      auto scope = Parameters(store, "").scope(component->identity().instance);
      component->build(scope);
    }
    std::vector<std::string> names;
    for (const auto& parameter : store->parameters)
      if (parameter.spec.name.starts_with("second.") && !parameter.spec.name.starts_with("second.layers") &&
          !parameter.spec.name.starts_with("second.head"))
        names.push_back(parameter.spec.name);
    return names;
  };
  EXPECT_THAT(names_of_second(true), ::testing::ElementsAre("second.positional.schemes.1.weight"));
  EXPECT_THAT(names_of_second(false),
              ::testing::ElementsAre("second.positional.schemes.0.weight", "second.positional.schemes.1.weight",
                                     "second.embedding_norm.weight", "second.embedding_norm.bias"));
}

}  // namespace
}  // namespace assay::testing
