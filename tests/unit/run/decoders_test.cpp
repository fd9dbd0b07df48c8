// The decoders on the engine: beam and contrastive search against searches written out, on a model with known logits
// and on a real one without a cache; what a batch, an end of text and the limits of a model change.
#include <ATen/ops/eye.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "known_model.h"
#include "run/decode.h"
#include "run/forward.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Ids = std::vector<int64_t>;
using Prompts = std::vector<std::vector<int32_t>>;

// A run in which a model of six tokens, the last the end of text, has taken over.
template <class Body>
void with_known_model(uint64_t seed, const Body& body) {
  TinyRun tiny;
  tiny.on_ranks([&](Assembled& run, const Mesh& mesh, TrainingData&) {
    const auto states = normal_numbers({6, 3}, seed), head = 1.5 * normal_numbers({3, 6}, seed + 1000);
    KnownModel model(states, head);
    model.take_over(run);
    body(run, mesh, model, at::log_softmax(at::matmul(states, head), -1), states);
  });
}

std::vector<Continuation> with_prompts(const std::string& decoder, const json& parameters, Assembled& run,
                                       const Mesh& mesh, const std::vector<Prompt>& prompts, int64_t tokens) {
  return decode(run, mesh, *make<Decoder>(decoder, parameters), {prompts, tokens, 1});
}
std::vector<Continuation> with(const std::string& decoder, const json& parameters, Assembled& run, const Mesh& mesh,
                               const Prompts& ids, int64_t tokens) {
  std::vector<Prompt> prompts;
  for (const auto& one : ids) prompts.push_back({one, {}});
  return with_prompts(decoder, parameters, run, mesh, prompts, tokens);
}

struct Found {
  Ids ids;  // without the end of text
  double score = -1e300, log_prob = 0;
};

// Of all continuations of at most `left` tokens: the highest ln p / length^penalty.
void search_all(const Tensor& log_p, int64_t last, int64_t left, double penalty, Ids& ids, double log_prob,
                Found& best) {
  const auto consider = [&](const Ids& text, int64_t length, double total) {
    const double score = total / std::pow(static_cast<double>(length), penalty);
    if (score > best.score) best = {text, score, total};
  };
  const auto length = static_cast<int64_t>(ids.size()) + 1;
  consider(ids, length, log_prob + log_p[last][5].item<double>());
  for (int64_t next = 0; next < 5; ++next) {
    const double total = log_prob + log_p[last][next].item<double>();
    ids.push_back(next);
    if (left == 1)
      consider(ids, length, total);
    else
      search_all(log_p, next, left - 1, penalty, ids, total, best);
    ids.pop_back();
  }
}

TEST(BeamSearch, WideEnoughItIsExhaustiveSearch) {
  for (uint64_t seed = 1; seed <= 6; ++seed)
    with_known_model(seed, [&](Assembled& run, const Mesh& mesh, KnownModel&, const Tensor& log_p, const Tensor&) {
      for (const double penalty : {0.0, 1.0, 2.0}) {
        const auto made = with("beam", {{"beams", 1024}, {"length_penalty", penalty}}, run, mesh, {{2}, {4, 0}}, 4);
        for (size_t p = 0; p < 2; ++p) {
          Found best;
          Ids ids;
          search_all(log_p, p == 0 ? 2 : 0, 4, penalty, ids, 0, best);
          EXPECT_EQ(made[p].ids, best.ids) << "seed " << seed << ", penalty " << penalty << ", prompt " << p;
          EXPECT_NEAR(made[p].log_prob, best.log_prob, 1e-12);
          EXPECT_EQ(made[p].ended, best.ids.size() < 4);
        }
      }
    });
}

// Beam search written out: candidates of all open continuations in order of ln p; of the first `beams` those that end
// are ended, and the first `beams` that do not stay open.
Continuation beam_by_hand(const Tensor& log_p, int64_t last, size_t beams, double penalty, int64_t tokens) {
  struct Text {
    Ids ids;  // the end of text included
    double log_prob;
    double score(double power) const { return log_prob / std::pow(static_cast<double>(ids.size()), power); }
  };
  const auto best_first = [&](std::vector<Text>& all) {
    std::stable_sort(all.begin(), all.end(),
                     [&](const Text& a, const Text& b) { return a.score(penalty) > b.score(penalty); });
  };
  std::vector<Text> open{{{}, 0}}, ended;
  for (int64_t step = 0; step < tokens && !open.empty(); ++step) {
    std::vector<Text> all;
    for (const auto& text : open)
      for (int64_t next = 0; next < 6; ++next) {
        auto longer = text;
        longer.ids.push_back(next);
        longer.log_prob += log_p[text.ids.empty() ? last : text.ids.back()][next].item<double>();
        all.push_back(longer);
      }
    std::stable_sort(all.begin(), all.end(), [](const Text& a, const Text& b) { return a.log_prob > b.log_prob; });
    open.clear();
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i].ids.back() != 5) {
        if (open.size() < beams) open.push_back(all[i]);
      } else if (i < beams) {
        ended.push_back(all[i]);
      }
    }
    best_first(ended);
    ended.resize(std::min(ended.size(), beams), {{}, 0});
    if (ended.size() == beams && open[0].score(penalty) <= ended.back().score(penalty)) open.clear();
  }
  ended.insert(ended.end(), open.begin(), open.end());
  best_first(ended);
  Continuation out;
  out.ended = ended[0].ids.back() == 5;
  out.ids.assign(ended[0].ids.begin(), ended[0].ids.end() - (out.ended ? 1 : 0));
  out.log_prob = ended[0].log_prob;
  return out;
}

TEST(BeamSearch, FewBeamsPruneAsWrittenOut) {
  size_t ended = 0, open = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed)
    with_known_model(seed, [&](Assembled& run, const Mesh& mesh, KnownModel&, const Tensor& log_p, const Tensor&) {
      for (const int64_t beams : {2, 3, 4})
        for (const double penalty : {0.0, 0.7, 1.0, 2.0}) {
          const auto made =
              with("beam", {{"beams", beams}, {"length_penalty", penalty}}, run, mesh, {{2}, {0}, {4, 1}}, 6);
          for (size_t p = 0; p < 3; ++p) {
            const auto expected =
                beam_by_hand(log_p, std::vector<int64_t>{2, 0, 1}[p], static_cast<size_t>(beams), penalty, 6);
            EXPECT_EQ(made[p].ids, expected.ids) << "seed " << seed << ", beams " << beams << ", penalty " << penalty;
            EXPECT_NEAR(made[p].log_prob, expected.log_prob, 1e-12);
            ++(made[p].ended ? ended : open);
          }
        }
    });
  EXPECT_GT(ended, 20u);
  EXPECT_GT(open, 20u);
}

// Two beams, by hand. After token 0: 1 has .5, 2 has .4, the end .1; after 1 the end has .3 and all others less; after
// 2, 3 has .9. Greedy goes by 1 and reaches .5 * .3; two beams find 2 3 with .4 * .9.
TEST(BeamSearch, FindsWhatGreedySearchMisses) {
  TinyRun tiny;
  tiny.on_ranks([&](Assembled& run, const Mesh& mesh, TrainingData&) {
    const auto p = at::tensor({.0, .5, .4, .0, .0, .1, .15, .15, .15, .15, .1, .3, .02, .02, .02, .9, .02, .02,  //
                               .1, .1, .1, .1, .1, .5, .2,  .2,  .2,  .2,  .1, .1, .2,  .2,  .2,  .2, .1,  .1},
                              at::kDouble)
                       .view({6, 6});
    KnownModel model(at::eye(6, at::kDouble), (p + 1e-30).log());
    model.take_over(run);
    EXPECT_EQ(with("greedy", {}, run, mesh, {{0}}, 2)[0].ids, (Ids{1}));
    EXPECT_EQ(with("beam", {{"beams", 1}}, run, mesh, {{0}}, 2)[0].ids, (Ids{1}));
    const auto two = with("beam", {{"beams", 2}, {"length_penalty", 0.0}}, run, mesh, {{0}}, 2)[0];
    EXPECT_EQ(two.ids, (Ids{2, 3}));
    EXPECT_NEAR(two.log_prob, std::log(.4 * .9), 1e-12);
  });
}

// After 0 1 the end has .26 and 3 has .24, after 0 2 the end has .2352: third of two beams' candidates, it is no end
// that could fill the beams and stop the search, which then finds 3 4 4 .. at .9 a token.
TEST(BeamSearch, AnEndBeyondTheBeamsStopsNothing) {
  with_known_model(1, [&](Assembled& run, const Mesh& mesh, KnownModel&, const Tensor&, const Tensor&) {
    const auto p =
        at::tensor({.01, .5,  .42, .03, .03, .01, .0,  .0,  .0,  .48, .0, .52, .088, .088, .088, .088, .088, .56,
                    .19, .19, .19, .19, .21, .03, .02, .02, .02, .02, .9, .02, .2,   .2,   .2,   .2,   .1,   .1},
                   at::kDouble)
            .view({6, 6});
    KnownModel model(at::eye(6, at::kDouble), (p + 1e-30).log());
    model.take_over(run);
    EXPECT_EQ(with("beam", {{"beams", 2}}, run, mesh, {{0}}, 6)[0].ids, (Ids{1, 3, 4, 4, 4, 4}));
  });
}

TEST(BeamSearch, OneBeamIsGreedySearch) {
  for (uint64_t seed = 1; seed <= 8; ++seed)
    with_known_model(seed, [&](Assembled& run, const Mesh& mesh, KnownModel&, const Tensor&, const Tensor&) {
      const Prompts prompts{{0}, {1, 2}, {}, {3}};
      const auto greedy = with("greedy", {}, run, mesh, prompts, 7);
      const auto beam = with("beam", {{"beams", 1}}, run, mesh, prompts, 7);
      for (size_t p = 0; p < prompts.size(); ++p) EXPECT_EQ(beam[p].ids, greedy[p].ids) << seed << " " << p;
    });
}

// Contrastive search written out, from tables: the rule of arXiv:2202.06417, in loops.
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

TEST(ContrastiveSearch, IsItsRuleOnAModelWithKnownLogits) {
  size_t ended = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed)
    with_known_model(seed,
                     [&](Assembled& run, const Mesh& mesh, KnownModel&, const Tensor& log_p, const Tensor& states) {
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
  EXPECT_GT(ended, 0u);  // some rows stop before the others
}

TEST(ContrastiveSearch, WithoutPenaltyOrChoiceItIsGreedySearch) {
  for (uint64_t seed = 1; seed <= 4; ++seed)
    with_known_model(seed, [&](Assembled& run, const Mesh& mesh, KnownModel&, const Tensor&, const Tensor&) {
      const Prompts prompts{{0}, {1, 2}, {}};
      const auto greedy = with("greedy", {}, run, mesh, prompts, 7);
      for (const json& parameters : {json{{"k", 1}, {"alpha", 0.9}}, json{{"k", 4}, {"alpha", 0.0}}}) {
        const auto made = with("contrastive", parameters, run, mesh, prompts, 7);
        for (size_t p = 0; p < prompts.size(); ++p) EXPECT_EQ(made[p].ids, greedy[p].ids) << parameters;
      }
    });
}

// What was tried is not run again: one forward for the prompt and one a token, but for the last, which nobody reads.
TEST(ContrastiveSearch, GoesOnFromTheForwardOfItsCandidates) {
  with_known_model(3, [&](Assembled& run, const Mesh& mesh, KnownModel& model, const Tensor&, const Tensor&) {
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
    tiny_.model()["positional"] = std::get<0>(GetParam());
    tiny_.mesh(std::get<1>(GetParam()), 1);
  }
  TinyRun tiny_;
};

// Of [end of text, ids]: final states [T, D] and logits [T, V] by one forward, without a cache.
std::pair<Tensor, Tensor> full_forward(Assembled& run, const Mesh& mesh, const Ids& ids) {
  const c10::NoGradGuard no_grad;
  Batch batch;
  batch.tokens = at::tensor(ids).unsqueeze(0);
  ForwardPass pass(*run.model, batch, {}, run.vocabulary->size(), mesh);
  return {pass.hidden()[0], pass.logits()[0]};
}

TEST_P(RealModel, ContrastiveSearchOnTheCacheIsThatWithoutOne) {
  tiny_.on_ranks([&](Assembled& run, const Mesh& mesh, TrainingData&) {
    const std::vector<std::string> texts{"abc ab", "", "h"};
    const auto prompts = encoded(*run.tokenizer, texts);
    const auto made = with_prompts("contrastive", {{"k", 4}, {"alpha", 0.5}}, run, mesh, prompts, 6);
    const auto slowly =
        with_prompts("contrastive", {{"k", 4}, {"alpha", 0.5}, {"low_memory", true}}, run, mesh, prompts, 6);
    for (size_t i = 0; i < texts.size(); ++i) {
      Ids past{run.vocabulary->special(kEndOfText)};
      past.insert(past.end(), prompts[i].tokens.begin(), prompts[i].tokens.end());
      Ids expected;
      double log_prob = 0;
      for (int step = 0; step < 6; ++step) {
        const auto logits = full_forward(run, mesh, past).second.select(0, static_cast<int64_t>(past.size()) - 1);
        const auto p = at::softmax(logits, -1);
        const auto order = logits.argsort(-1, /*descending=*/true);
        double best = -1e300;
        int64_t chosen = -1;
        for (int64_t rank = 0; rank < 4; ++rank) {
          auto with_it = past;
          with_it.push_back(order[rank].item<int64_t>());
          const auto states = full_forward(run, mesh, with_it).first;
          const auto unit = states / states.norm(2, -1, true);
          const auto last = unit.size(0) - 1;
          const double penalty = at::matmul(unit.narrow(0, 0, last), unit[last]).max().item<double>();
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

TEST_P(RealModel, AloneARowGivesWhatItGivesInABatch) {
  tiny_.on_ranks([&](Assembled& run, const Mesh& mesh, TrainingData&) {
    const auto prompts = encoded(*run.tokenizer, {"abc ab", "", "h", "h", "a longer one"});
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
      // The second of two equal prompts draws anew.
      if (decoder == "sampling") {
        EXPECT_NE(together[2].ids, together[3].ids);
      }
    }
  });
}

std::vector<json> three_schemes() { return {"alibi", "rotary", {{"use", "t5"}}}; }

INSTANTIATE_TEST_SUITE_P(Schemes, RealModel,
                         ::testing::Combine(::testing::ValuesIn(three_schemes()), ::testing::Values(1, 2)),
                         [](const auto& info) {
                           const auto& scheme = std::get<0>(info.param);
                           return (scheme.is_string() ? scheme : scheme["use"]).template get<std::string>() + "_on_" +
                                  std::to_string(std::get<1>(info.param));
                         });

TEST(Decoding, TellsTheTextAsItComes) {
  TinyRun tiny;
  tiny.on_ranks([&](Assembled& run, const Mesh& mesh, TrainingData&) {
    for (const auto* decoder : {"greedy", "contrastive"}) {
      std::vector<std::string> parts;
      DecodeRequest request{encoded(*run.tokenizer, {"ab"}), 9, 1};
      request.on_text = [&](const std::string& text) { parts.push_back(text); };
      const auto made = decode(run, mesh, *make<Decoder>(decoder), request)[0];
      EXPECT_EQ(parts.size(), made.ids.size());
      std::string whole;
      for (const auto& part : parts) whole += part;
      EXPECT_EQ(whole, made.text);
    }
  });
}

}  // namespace
}  // namespace assay::testing
