// The decoders on the engine: contrastive search against a plain implementation, on a model with known logits and on a
// real one without a cache; the effect of batches, ends of text and the limits of a model.
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "run/forward.h"
#include "unit/run/known_decode.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Plain contrastive search from tables: the rule of arXiv:2202.06417, in loops.
Ids contrastive_by_hand(const Tensor& log_p, const Tensor& states, Ids past, int64_t k, double alpha, int64_t tokens) {
  const auto cosine = [&](int64_t a, int64_t b) {
    double dot = 0, aa = 0, bb = 0;
    for (int64_t c = 0; c < states.size(1); ++c) {
      const double x = states[a][c].item<double>(), y = states[b][c].item<double>();
      dot += x * y;
      aa += x * x;
      bb += y * y;
    }
    return dot / std::sqrt(aa * bb);
  };
  Ids made;
  for (int64_t i = 0; i < tokens; ++i) {
    Ids order{0, 1, 2, 3, 4, 5};
    const auto p = log_p[past.back()].exp();
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return p[a].item<double>() > p[b].item<double>(); });
    double best = -1e300;
    int64_t chosen = -1;
    for (int64_t rank = 0; rank < std::min<int64_t>(k, 6); ++rank) {
      const auto v = order[static_cast<size_t>(rank)];
      double penalty = -1e300;
      for (const auto x : past) penalty = std::max(penalty, cosine(v, x));
      const double score = (1 - alpha) * p[v].item<double>() - alpha * penalty;
      if (score > best) {
        best = score;
        chosen = v;
      }
    }
    if (chosen == 5) break;
    made.push_back(chosen);
    past.push_back(chosen);
  }
  return made;
}

TEST(ContrastiveSearch, FollowsItsRuleOnAModelWithKnownLogits) {
  size_t ended = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed)
    with_known_model(
        seed, [&](run::Assembled& run, const Mesh& mesh, KnownModel&, const Tensor& log_p, const Tensor& states) {
          const Prompts prompts{{2}, {}, {1, 4, 0}, {3}};
          for (const int64_t k : {2, 3, 6, 300})
            for (const double alpha : {0.1, 0.6, 0.95}) {
              const auto made = with("contrastive", {{"k", k}, {"alpha", alpha}}, run, mesh, prompts, 6);
              for (size_t i = 0; i < prompts.size(); ++i) {
                Ids past{5};
                past.insert(past.end(), prompts[i].begin(), prompts[i].end());
                EXPECT_EQ(made[i].ids, contrastive_by_hand(log_p, states, past, k, alpha, 6))
                    << "seed " << seed << ", k " << k << ", alpha " << alpha << ", prompt " << i;
                ended += made[i].ended ? 1 : 0;
              }
            }
        });
  EXPECT_GT(ended, 0u);  // some rows end before others
}

TEST(ContrastiveSearch, WithoutPenaltyOrCandidatesIsGreedySearch) {
  for (uint64_t seed = 1; seed <= 4; ++seed)
    with_known_model(seed, [&](run::Assembled& run, const Mesh& mesh, KnownModel&, const Tensor&, const Tensor&) {
      const Prompts prompts{{0}, {1, 2}, {}};
      const auto greedy = with("greedy", {}, run, mesh, prompts, 7);
      for (const json& parameters : {json{{"k", 1}, {"alpha", 0.9}}, json{{"k", 4}, {"alpha", 0.0}}}) {
        const auto made = with("contrastive", parameters, run, mesh, prompts, 7);
        for (size_t p = 0; p < prompts.size(); ++p) EXPECT_EQ(made[p].ids, greedy[p].ids) << parameters;
      }
    });
}

// Tried candidates are not computed again: one forward pass for the prompt and one per token, except the last, which
// has no successor.
TEST(ContrastiveSearch, ContinuesFromTheForwardOfItsCandidates) {
  with_known_model(3, [&](run::Assembled& run, const Mesh& mesh, KnownModel& model, const Tensor&, const Tensor&) {
    int64_t chosen = 0;
    const auto calls = [&](const json& parameters) {
      model.extends = 0;
      const auto made = with("contrastive", parameters, run, mesh, {{0}}, 5)[0];
      chosen = static_cast<int64_t>(made.ids.size()) + (made.ended ? 1 : 0);
      return model.extends;
    };
    const auto at_once = calls({{"k", 4}, {"alpha", 0.2}});
    EXPECT_EQ(at_once, 1 + chosen);
    const auto one_by_one = calls({{"k", 4}, {"alpha", 0.2}, {"low_memory", true}});
    EXPECT_EQ(one_by_one, 1 + 4 * chosen + (chosen - 1));
    EXPECT_GT(chosen, 1);
  });
}

class RealModel : public ::testing::TestWithParam<std::tuple<json, int>> {
 protected:
  RealModel() {
    const auto& scheme = std::get<0>(GetParam());
    if (scheme == "encoder")
      tiny_.model() = {{"use", "t5"}, {"layers", 2}, {"encoder_layers", 1}, {"width", 16}, {"heads", 4}};
    else
      tiny_.model()["positional"] = scheme;
    tiny_.mesh(std::get<1>(GetParam()), 1);
  }
  TinyRun tiny_;
};

// Returns the final states [T, D] and logits [T, V] of [end of text, ids] by one forward pass, without a cache. The
// first `source` tokens are what an encoder reads.
std::pair<Tensor, Tensor> full_forward(run::Assembled& run, const Mesh& mesh, const Ids& ids, int64_t source) {
  const c10::NoGradGuard no_grad;
  Batch batch;
  batch.tokens = at::tensor(ids).unsqueeze(0);
  batch.source_length = at::tensor({source}, at::kLong);
  run::ForwardPass pass(*run.model, batch, {}, run.vocabulary->size(), mesh);
  return {pass.hidden()[0], pass.logits()[0]};
}

TEST_P(RealModel, ContrastiveSearchWithTheCacheEqualsThatWithoutOne) {
  tiny_.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const std::vector<std::string> texts{"abc ab", "", "h"};
    const auto prompts = run::encoded(*run.tokenizer, texts);
    const auto made = with_prompts("contrastive", {{"k", 4}, {"alpha", 0.5}}, run, mesh, prompts, 6);
    const auto slowly =
        with_prompts("contrastive", {{"k", 4}, {"alpha", 0.5}, {"low_memory", true}}, run, mesh, prompts, 6);
    for (size_t i = 0; i < texts.size(); ++i) {
      Ids past{run.vocabulary->special(kEndOfText)};
      past.insert(past.end(), prompts[i].tokens.begin(), prompts[i].tokens.end());
      const auto source = static_cast<int64_t>(past.size());
      const auto seen = run.model->has_encoder() ? source - 1 : 0;  // the first state that the decoder makes
      Ids expected;
      double log_prob = 0;
      for (int step = 0; step < 6; ++step) {
        const auto logits =
            full_forward(run, mesh, past, source).second.select(0, static_cast<int64_t>(past.size()) - 1);
        const auto p = at::softmax(logits, -1);
        const auto order = logits.argsort(-1, /*descending=*/true);
        double best = -1e300;
        int64_t chosen = -1;
        for (int64_t rank = 0; rank < 4; ++rank) {
          auto with_it = past;
          with_it.push_back(order[rank].item<int64_t>());
          const auto states = full_forward(run, mesh, with_it, source).first;
          const auto unit = states / states.norm(2, -1, true);
          const auto last = unit.size(0) - 1;
          const double penalty = at::matmul(unit.slice(0, seen, last), unit[last]).max().item<double>();
          const double score = 0.5 * p[with_it.back()].item<double>() - 0.5 * penalty;
          if (score > best) {
            best = score;
            chosen = with_it.back();
          }
        }
        log_prob += p[chosen].log().item<double>();
        past.push_back(chosen);
        if (chosen == run.vocabulary->special(kEndOfText)) break;
        expected.push_back(chosen);
      }
      EXPECT_EQ(made[i].ids, expected) << "prompt " << i;
      EXPECT_EQ(slowly[i].ids, expected) << "prompt " << i;
      EXPECT_NEAR(made[i].log_prob, log_prob, 1e-10);
    }
  });
}

TEST_P(RealModel, ARowGivesTheSameAloneAndInABatch) {
  tiny_.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const auto prompts = run::encoded(*run.tokenizer, {"abc ab", "", "h", "h", "a longer one"});
    for (const auto& [decoder, parameters] :
         std::vector<std::pair<std::string, json>>{{"greedy", json::object()},
                                                   {"sampling", {{"top_p", 0.9}}},
                                                   {"sampling", {{"typical", 0.8}, {"top_k", 50}}},
                                                   {"beam", {{"beams", 3}}},
                                                   {"contrastive", {{"k", 5}, {"alpha", 0.6}}},
                                                   {"contrastive", {{"k", 5}, {"alpha", 0.6}, {"sample_steps", 2}}}}) {
      const auto together = with_prompts(decoder, parameters, run, mesh, prompts, 8);
      for (const size_t i : {0, 1, 2, 4}) {
        const auto alone = with_prompts(decoder, parameters, run, mesh, {prompts[i]}, 8)[0];
        EXPECT_EQ(together[i].ids, alone.ids) << decoder << " " << parameters << " prompt " << i;
        EXPECT_NEAR(together[i].log_prob, alone.log_prob, 1e-10);
      }
      // The second of two equal prompts has its own draws.
      if (decoder == "sampling") {
        EXPECT_NE(together[2].ids, together[3].ids);
      }
    }
  });
}

std::vector<json> schemes_and_a_model() { return {"alibi", "rotary", {{"use", "t5"}}, "encoder"}; }

INSTANTIATE_TEST_SUITE_P(Schemes, RealModel,
                         ::testing::Combine(::testing::ValuesIn(schemes_and_a_model()), ::testing::Values(1, 2)),
                         [](const auto& info) {
                           const auto& scheme = std::get<0>(info.param);
                           return (scheme.is_string() ? scheme : scheme["use"]).template get<std::string>() + "_on_" +
                                  std::to_string(std::get<1>(info.param));
                         });

TEST(Decoding, StreamsTheText) {
  TinyRun tiny;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    for (const auto* decoder : {"greedy", "contrastive"}) {
      std::vector<std::string> parts;
      run::DecodeRequest request{run::encoded(*run.tokenizer, {"ab"}), 9, 1};
      request.on_text = [&](const std::string& text) { parts.push_back(text); };
      const auto made = run::decode(run, mesh, *make<Decoder>(decoder), request)[0];
      EXPECT_EQ(parts.size(), made.ids.size());
      std::string whole;
      for (const auto& part : parts) whole += part;
      EXPECT_EQ(whole, made.text);
    }
  });
}

}  // namespace
}  // namespace assay::testing
