// Beam search on the engine against plain implementations, on a model with known logits.
#include <ATen/ops/eye.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "unit/run/known_decode.h"

namespace assay::testing {
namespace {

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

TEST(BeamSearch, WithEnoughBeamsIsExhaustiveSearch) {
  for (uint64_t seed = 1; seed <= 6; ++seed)
    with_known_model(seed, [&](run::Assembled& run, const Mesh& mesh, KnownModel&, const Tensor& log_p, const Tensor&) {
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

// Plain beam search: the candidates of all open continuations in order of ln p; of the first `beams`, those that end
// are finished, and the first `beams` that do not end stay open.
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

TEST(BeamSearch, FewBeamsPruneLikeThePlainSearch) {
  size_t ended = 0, open = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed)
    with_known_model(seed, [&](run::Assembled& run, const Mesh& mesh, KnownModel&, const Tensor& log_p, const Tensor&) {
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
// 2, 3 has .9. Greedy search follows 1 and reaches .5 * .3; two beams find 2 3 with .4 * .9.
TEST(BeamSearch, FindsWhatGreedySearchMisses) {
  TinyRun tiny;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
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

// After 0 1 the end has .26 and 3 has .24, after 0 2 the end has .2352. It ranks third among the candidates of two
// beams, so it does not finish a text that would fill the beams and stop the search, which then finds 3 4 4 .. with .9
// per token.
TEST(BeamSearch, AnEndBelowTheTopCandidatesDoesNotStopTheSearch) {
  with_known_model(1, [&](run::Assembled& run, const Mesh& mesh, KnownModel&, const Tensor&, const Tensor&) {
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

// After 0 the end has .45 and 1 has .4, after 0 1 the end has .56 and 3 has .44. Two texts have ended, of ln p / length
// ln .45 = -.799 and ln .224 / 2 = -.748; the open one, ln .176 / 2 = -.868, would not be among them, so the search
// stops. It would have come to 1 3 4 4 4 4 of ln(.176 * .99^4) / 6 = -.296. Of ln p alone none can rise.
TEST(BeamSearch, StopsBeforeALongerTextThatWouldHaveBeenBetter) {
  with_known_model(1, [&](run::Assembled& run, const Mesh& mesh, KnownModel&, const Tensor&, const Tensor&) {
    const auto p =
        at::tensor({.0375, .40, .0375, .0375, .0375, .45, .0,  .0, .0, .44, .0,  .56, .2, .2, .2, .2, .1, .1,
                    .01,   .0,  .0,    .0,    .99,   .0,  .01, .0, .0, .0,  .99, .0,  .2, .2, .2, .2, .1, .1},
                   at::kDouble)
            .view({6, 6});
    const auto log_p = (p + 1e-30).log();
    KnownModel model(at::eye(6, at::kDouble), log_p);
    model.take_over(run);
    const auto best = [&](double penalty) {
      Found found;
      Ids ids;
      search_all(log_p, 0, 6, penalty, ids, 0, found);
      return found;
    };
    const auto made = [&](double penalty) {
      return with("beam", {{"beams", 2}, {"length_penalty", penalty}}, run, mesh, {{0}}, 6)[0];
    };
    EXPECT_EQ(best(1).ids, (Ids{1, 3, 4, 4, 4, 4}));
    EXPECT_NEAR(best(1).score, -.296, 5e-4);
    EXPECT_EQ(made(1).ids, (Ids{1}));
    EXPECT_NEAR(made(1).log_prob, std::log(.224), 1e-12);
    EXPECT_EQ(best(0).ids, (Ids{}));
    EXPECT_EQ(made(0).ids, (Ids{}));
    EXPECT_NEAR(made(0).log_prob, std::log(.45), 1e-12);
  });
}

TEST(BeamSearch, OneBeamIsGreedySearch) {
  for (uint64_t seed = 1; seed <= 8; ++seed)
    with_known_model(seed, [&](run::Assembled& run, const Mesh& mesh, KnownModel&, const Tensor&, const Tensor&) {
      const Prompts prompts{{0}, {1, 2}, {}, {3}};
      const auto greedy = with("greedy", {}, run, mesh, prompts, 7);
      const auto beam = with("beam", {{"beams", 1}}, run, mesh, prompts, 7);
      for (size_t p = 0; p < prompts.size(); ++p) EXPECT_EQ(beam[p].ids, greedy[p].ids) << seed << " " << p;
    });
}

}  // namespace
}  // namespace assay::testing
