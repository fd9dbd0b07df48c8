// The role of each parameter, as optimizers see it: from the layers, the positional tables and the models.
#include <gtest/gtest.h>

#include <map>

#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

// The names of the first layer represent those of all layers.
std::map<std::string, Role> roles_of(const TinyRun& tiny) {
  std::map<std::string, Role> roles;
  tiny.on_ranks([&](run::Assembled& run, const Mesh&, data::TrainingData&) {
    for (const auto& [spec, value] : run.parameters->all())
      if (spec.name.find("layers.1.") == std::string::npos) roles[spec.name] = spec.role;
  });
  return roles;
}

std::map<std::string, Role> roles_of_gpt(Role positional) {
  std::map<std::string, Role> roles{{"model.embedding.weight", Role::kEmbedding},
                                    {"model.positional.weight", positional},
                                    {"model.final_norm.weight", Role::kOther},
                                    {"model.final_norm.bias", Role::kOther}};
  for (const std::string layer : {"attention.qkv", "attention.output", "up", "down"}) {
    roles["model.layers.0." + layer + ".weight"] = Role::kMatrix;
    roles["model.layers.0." + layer + ".bias"] = Role::kOther;
  }
  for (const char* name : {"attention_norm.weight", "attention_norm.bias", "ffn_norm.weight", "ffn_norm.bias"})
    roles[std::string("model.layers.0.") + name] = Role::kOther;
  return roles;
}

TEST(Roles, OfATiedModelWithATableOfPositions) {
  for (const json& positional : {json{{"use", "learned"}, {"positions", 16}}, json{{"use", "t5"}}}) {
    TinyRun tiny;
    tiny.model()["positional"] = positional;
    EXPECT_EQ(roles_of(tiny), roles_of_gpt(Role::kEmbedding)) << positional;
  }
}

TEST(Roles, AnUntiedOutputMatrixIsAHead) {
  TinyRun tiny;
  tiny.model()["tied_head"] = false;
  const auto roles = roles_of(tiny);
  EXPECT_EQ(roles.at("model.embedding.weight"), Role::kEmbedding);
  EXPECT_EQ(roles.at("model.head.weight"), Role::kHead);
}

// In an encoder, the dense layer before the logits and the bias of the tied table belong to the head.
TEST(Roles, OfAnEncodersHead) {
  TinyRun tiny;
  tiny.model() = {{"use", "bert"}, {"layers", 1},     {"width", 16},
                  {"heads", 4},    {"head", "dense"}, {"positional", {{"use", "none"}}}};
  tiny.line["train"]["objectives"] = {{{"use", "cocolm"}, {"label", "cocolm"}, {"weight", 1.0}, {"objective", "mlm"}}};
  const auto roles = roles_of(tiny);
  EXPECT_EQ(roles.at("model.head.dense.weight"), Role::kHead);
  EXPECT_EQ(roles.at("model.head.bias"), Role::kOther);
  EXPECT_EQ(roles.at("model.layers.0.up.weight"), Role::kMatrix);
}

}  // namespace
}  // namespace assay::testing
