// A model in use by evaluators: gradients with respect to token embeddings, the tokens that they point to, likelihoods
// after a prefix, and prompts with gaps, against finite differences, full sorts and full forward passes.
#include "run/model_use.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>

#include "fakes.h"
#include "run/decode/decode.h"
#include "run/shared_reads.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Batch two_rows() {
  Batch batch;
  batch.tokens = at::tensor({256, 97, 98, 99, 256, 100, 97, 97}, at::kLong).view({2, 4});
  batch.targets = at::tensor({97, 98, 99, 100, 100, 97, 97, 98}, at::kLong).view({2, 4});
  return batch;
}
Tensor last_two(Forward& forward) { return forward.token_nll().narrow(1, 2, 2).sum(); }

TEST(ModelUse, TheGradientOfEmbeddingsIsThatOfFiniteDifferences) {
  const TinyRun tiny;
  tiny.on_ranks([](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    run::ModelUse use(run, run, mesh);
    const auto batch = two_rows();
    const auto gradient = use.embedding_gradient(batch, last_two);
    ASSERT_EQ(gradient.sizes(), at::IntArrayRef({2, 4, 16}));
    const c10::NoGradGuard no_grad;
    const auto loss = [&](const Tensor& embeddings) {
      ForwardOptions options;
      options.embeddings = embeddings;
      run::ForwardPass pass(*run.model, batch, options, run.vocabulary->size(), mesh);
      return last_two(pass).item<double>();
    };
    const auto embeddings = run.model->embed(batch.tokens);
    for (const auto& [row, place, channel] : {std::tuple{0, 0, 3}, {0, 2, 15}, {1, 1, 0}, {1, 3, 7}}) {
      constexpr double kStep = 1e-5;
      auto up = embeddings.clone(), down = embeddings.clone();
      up[row][place][channel] += kStep;
      down[row][place][channel] -= kStep;
      EXPECT_NEAR(gradient[row][place][channel].item<double>(), (loss(up) - loss(down)) / (2 * kStep), 1e-8);
    }
    for (const auto& parameter : run.parameters->all()) EXPECT_FALSE(parameter.value.grad().defined());
  });
}

TEST(ModelUse, EveryTensorRankHasTheWholeGradientAndTheSameTokens) {
  std::vector<double> one;
  std::vector<int64_t> tokens;
  for (const int ranks : {1, 2, 4}) {
    TinyRun tiny;
    tiny.mesh(ranks, 1);
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
      run::ModelUse use(run, run, mesh);
      const auto gradient = use.embedding_gradient(two_rows(), last_two);
      const auto found = use.steepest_tokens(gradient.view({8, 16}), 5);
      if (ranks == 1) {
        one = values_of<double>(gradient);
        tokens = values_of<int64_t>(found);
        return;
      }
      const auto here = values_of<double>(gradient);
      for (size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(here[i], one[i], 1e-12) << ranks;
      EXPECT_EQ(values_of<int64_t>(found), tokens) << ranks;
    });
  }
}

// With a loss that is linear in the embeddings, the first order is exact: a full sort of all tokens by their products.
TEST(ModelUse, SteepestTokensAreTheFirstOfAFullSort) {
  const TinyRun tiny;
  tiny.on_ranks([](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    run::ModelUse use(run, run, mesh);
    const auto gradient = normal_numbers({3, 16}, 4);
    const c10::NoGradGuard no_grad;
    const auto rows = run.model->embed(at::arange(256, at::kLong).unsqueeze(0))[0];  // 256 is the end of text
    const auto found = use.steepest_tokens(gradient, 7);
    for (int64_t n = 0; n < 3; ++n) {
      std::vector<int64_t> order(256);
      std::iota(order.begin(), order.end(), 0);
      const auto product = values_of<double>(rows.matmul(gradient[n]));
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return product[static_cast<size_t>(a)] < product[static_cast<size_t>(b)];
      });
      order.resize(7);
      EXPECT_EQ(values_of<int64_t>(found[n]), order);
    }
    // Ties go to the lowest ids, and no more tokens are given than there are.
    const auto all = values_of<int64_t>(use.steepest_tokens(at::zeros({1, 16}, at::kDouble), 1000));
    std::vector<int64_t> ids(256);
    std::iota(ids.begin(), ids.end(), 0);
    EXPECT_EQ(all, ids);
  });
}

// ln p of tokens of a sequence, from a full forward pass with these positions and without the keys that are masked.
std::vector<double> whole(run::Assembled& run, const Mesh& mesh, const std::vector<int64_t>& ids, size_t from,
                          const std::vector<int64_t>& positions = {}, const std::vector<int64_t>& masked = {}) {
  if (from == ids.size()) return {};
  const c10::NoGradGuard no_grad;
  Batch batch;
  const auto all = at::tensor(ids, at::kLong).unsqueeze(0);
  const auto T = static_cast<int64_t>(ids.size()) - 1;
  batch.tokens = all.narrow(1, 0, T);
  batch.targets = all.narrow(1, 1, T);
  if (!positions.empty()) batch.positions = at::tensor(positions, at::kLong).unsqueeze(0).narrow(1, 0, T);
  if (!masked.empty()) {
    batch.key_mask = at::ones({1, T}, at::kBool);
    for (const auto at : masked) batch.key_mask[0][at] = false;
  }
  run::ForwardPass pass(*run.model, batch, {}, run.vocabulary->size(), mesh);
  const auto nll = values_of<double>(pass.token_nll());
  std::vector<double> log_p;
  for (auto t = from; t < ids.size(); ++t) log_p.push_back(-nll[t - 1]);
  return log_p;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-10) << what;
}

class ModelUseOfScheme : public ::testing::TestWithParam<std::tuple<json, int>> {};

// Rows of several lengths after an empty and a longer prefix; with gaps, where a token is deleted without moving the
// others, a row equals the whole sequence with that token's key masked.
TEST_P(ModelUseOfScheme, LikelihoodsAreThoseOfFullForwardPasses) {
  const auto& [scheme, ranks] = GetParam();
  TinyRun tiny;
  tiny.mesh(ranks, 1);
  tiny.model()["positional"] = scheme;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    run::ModelUse use(run, run, mesh);
    for (const std::vector<int32_t>& prefix : {std::vector<int32_t>{}, {97, 98, 99}}) {
      const std::vector<Scored> rows{
          {{100, 97, 98}, 0}, {{100}, 0}, {{97, 97, 98, 99, 100}, 2}, {{}, 0}, {{98, 99}, 2}};
      const auto found = use.log_probs(prefix, rows);
      ASSERT_EQ(found.size(), rows.size());
      for (size_t i = 0; i < rows.size(); ++i) {
        std::vector<int64_t> ids{256};
        ids.insert(ids.end(), prefix.begin(), prefix.end());
        ids.insert(ids.end(), rows[i].tokens.begin(), rows[i].tokens.end());
        expect_near(found[i], whole(run, mesh, ids, 1 + prefix.size() + static_cast<size_t>(rows[i].from)),
                    scheme.dump() + " row " + std::to_string(i));
      }
    }
    // Of a b c d after the end of text, b is left out: moved together (delete), and with a gap.
    const auto found = use.log_probs({97}, {{{99, 100}, 0}, {{99, 100}, 0, {3, 4}}});
    expect_near(found[0], whole(run, mesh, {256, 97, 99, 100}, 2), "delete");
    const auto gap = whole(run, mesh, {256, 97, 99, 100}, 2, {0, 1, 3, 4});
    expect_near(found[1], gap, "gap " + scheme.dump());
    // Masked as a key, b changes only what c is predicted from, which is b's own state.
    const auto masked = whole(run, mesh, {256, 97, 98, 99, 100}, 4, {}, {2});
    EXPECT_NEAR(found[1][1], masked[0], 1e-10) << scheme.dump();
  });
}
INSTANTIATE_TEST_SUITE_P(Run, ModelUseOfScheme,
                         ::testing::Combine(::testing::ValuesIn(positional_schemes()), ::testing::Values(1, 2)));

// Many rows that begin alike at several depths, some of which end on the way, have positions or are equal: what they
// share is read once, and every likelihood is that of a whole pass.
TEST(ModelUse, SharedBeginningsChangeNoLikelihood) {
  for (const int ranks : {1, 2}) {
    TinyRun tiny;
    tiny.mesh(ranks, 1);
    tiny.model()["positional"] = {{"use", "alibi"}};
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
      run::ModelUse use(run, run, mesh);
      std::vector<Scored> rows;
      for (int32_t first = 97; first < 101; ++first)
        for (int32_t second = 97; second < 103; ++second) {
          rows.push_back({{first, 99, 98}, 1});
          for (int32_t last = 97; last < 102; ++last)
            rows.push_back({{first, 99, 98, second, 100, 97, last, 98}, last % 3 == 0 ? 0 : 6});
          rows.push_back({{first, 99, 98, second, 100}, 0, {2, 3, 5, 6, 9}});
        }
      const auto known = run::shared_reads(rows);
      EXPECT_FALSE(known.cuts.empty());
      const auto found = use.log_probs({97, 98}, rows);
      for (size_t i = 0; i < rows.size(); i += 5) {
        std::vector<int64_t> ids{256, 97, 98}, positions{0, 1, 2};
        for (size_t t = 0; t < rows[i].tokens.size(); ++t) {
          ids.push_back(rows[i].tokens[t]);
          positions.push_back(rows[i].positions.empty() ? static_cast<int64_t>(t) + 3 : rows[i].positions[t]);
        }
        expect_near(found[i], whole(run, mesh, ids, 3 + static_cast<size_t>(rows[i].from), positions),
                    "row " + std::to_string(i));
      }
    });
  }
}

// Ten beginnings of 20 tokens, each of 30 rows with two tokens more, are cut at 20; nothing in common is not cut.
TEST(ModelUse, CutsAreWhereTheySaveTokens) {
  std::vector<Scored> rows;
  for (int32_t last = 0; last < 30; ++last)
    for (int32_t first = 0; first < 10; ++first) {
      std::vector<int32_t> tokens(20, first);
      tokens.insert(tokens.end(), {last, last, 7});
      rows.push_back({std::move(tokens), 0});
    }
  const auto found = run::shared_reads(rows);
  EXPECT_EQ(found.cuts, std::vector<int64_t>{20});
  for (size_t place = 0; place < rows.size(); ++place) {
    EXPECT_EQ(rows[found.order[place]].tokens[0], static_cast<int32_t>(place / 30));
    EXPECT_EQ(found.shared[place], place % 30 == 0 ? 0 : 20);
  }
  std::vector<Scored> apart;
  for (int32_t first = 0; first < 200; ++first) apart.push_back({{first, 1, 2, 3, 4}, 0});
  EXPECT_TRUE(run::shared_reads(apart).cuts.empty());
  EXPECT_TRUE(run::shared_reads({}).cuts.empty());
}

// Every next token of a decode equals the most likely one of a full pass over what it has so far, with its positions.
TEST(ModelUse, PromptsMayHaveGaps) {
  for (const auto* scheme : {"alibi", "sinusoidal", "rotary"}) {
    TinyRun tiny;
    tiny.model()["positional"] = {{"use", scheme}};
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
      const auto greedy = make<Decoder>("greedy");
      for (auto* component : greedy.all()) component->bind(*run.vocabulary);
      const std::vector<Prompt> prompts{{{97, 99, 100}, {}, {1, 3, 7}}, {{98, 97, 97, 98, 100}, {}}};
      const auto made = run::decode(run, mesh, *greedy, {prompts, 4, 1});
      for (size_t p = 0; p < prompts.size(); ++p) {
        std::vector<int64_t> ids{256}, positions{0};
        for (const auto id : prompts[p].tokens) ids.push_back(id);
        for (size_t i = 0; i < prompts[p].tokens.size(); ++i)
          positions.push_back(prompts[p].positions.empty() ? static_cast<int64_t>(i) + 1 : prompts[p].positions[i]);
        double log_p = 0;
        auto chosen = made[p].ids;
        if (made[p].ended) chosen.push_back(256);
        for (const auto next : chosen) {
          ids.push_back(next);
          positions.push_back(positions.back() + 1);
          log_p += whole(run, mesh, ids, ids.size() - 1, positions)[0];
        }
        EXPECT_NEAR(made[p].log_prob, log_p, 1e-10) << scheme << " " << p;
      }
    });
  }
}

// A prompt with a stream of its own draws the same whatever is beside it; another stream draws otherwise.
TEST(ModelUse, AStreamKeysTheDrawsOfAPrompt) {
  const TinyRun tiny;
  tiny.on_ranks([](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const auto sampling = make<Decoder>("sampling");
    for (auto* component : sampling.all()) component->bind(*run.vocabulary);
    const auto texts = [&](const std::vector<uint64_t>& streams) {
      std::vector<Prompt> prompts;
      for (const auto stream : streams) prompts.push_back({{97, 98}, {}, {}, stream});
      std::vector<std::vector<int64_t>> ids;
      for (const auto& one : run::decode(run, mesh, *sampling, {prompts, 8, 1})) ids.push_back(one.ids);
      return ids;
    };
    const auto two = texts({5, 6}), three = texts({7, 6, 5});
    EXPECT_EQ(two[0], three[2]);
    EXPECT_EQ(two[1], three[1]);
    EXPECT_NE(two[0], two[1]);
    EXPECT_EQ(texts({5, 5})[0], texts({5, 5})[1]);
  });
}

TEST(ModelUse, RefusesWhatCannotBeRead) {
  TinyRun tiny;
  tiny.model()["positional"] = {{"use", "learned"}, {"positions", 8}};
  tiny.on_ranks([](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    run::ModelUse use(run, run, mesh);
    EXPECT_EQ(use.log_probs({97, 97, 97}, {{{97, 97, 97, 97, 97}, 0}})[0].size(), 5u);  // the last one is not read
    EXPECT_THAT(
        [&] {
          use.log_probs({97, 97, 97}, {{{97, 97, 97, 97, 97, 97}, 0}});
        },
        ThrowsMessage<UserError>(HasSubstr("exceed the model's limit of 8 positions")));
    EXPECT_THAT([&] { use.log_probs({}, {{{97}, 2}}); }, ThrowsMessage<UserError>(HasSubstr("is scored from token 2")));
    const auto greedy = make<Decoder>("greedy");
    const auto decoded = [&](std::vector<int64_t> positions) {
      run::decode(run, mesh, *greedy, {{{{97, 98}, {}, std::move(positions)}}, 2, 1});
    };
    EXPECT_NO_THROW(decoded({1, 6}));
    EXPECT_THAT([&] { decoded({1, 7}); }, ThrowsMessage<UserError>(HasSubstr("exceed the model's limit")));
    EXPECT_THAT([&] { decoded({0, 1}); }, ThrowsMessage<UserError>(HasSubstr("must rise from 1 or more")));
    EXPECT_THAT([&] { decoded({1}); }, ThrowsMessage<UserError>(HasSubstr("must have as many positions, not 1")));
  });
}

}  // namespace
}  // namespace assay::testing
