// Decoding with the cache against full forward passes; how a decoder may change rows; and invalid choices.
#include "run/decode/decode.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>

#include <limits>

#include "fakes.h"
#include "run/forward.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// A decoder given as a function.
class Scripted final : public Decoder {
 public:
  explicit Scripted(std::function<Choice(DecodeContext&)> next) : next_(std::move(next)) {
    set_identity({"scripted", "decoder", "scripted", "decoder"});
  }
  Choice next(DecodeContext& context) override { return next_(context); }

 private:
  std::function<Choice(DecodeContext&)> next_;
};

Scripted most_likely() {
  return Scripted([](DecodeContext& context) { return Choice{at::argmax(context.logits(), -1), {}}; });
}

// Returns the logits after the last of `ids`, from a full forward pass without padding and without a cache.
Tensor full_logits(run::Assembled& run, const Mesh& mesh, const std::vector<int64_t>& ids) {
  const c10::NoGradGuard no_grad;
  Batch batch;
  batch.tokens = at::tensor(ids).unsqueeze(0);
  run::ForwardPass pass(*run.model, batch, {}, run.vocabulary->size(), mesh);
  return pass.logits().select(1, batch.tokens.size(1) - 1).squeeze(0);
}

// Returns this rank's slice of the logits.
Tensor local_logits(run::Assembled& run, const std::vector<int64_t>& ids) {
  const c10::NoGradGuard no_grad;
  Batch batch;
  batch.tokens = at::tensor(ids).unsqueeze(0);
  return run.model->logits(run.model->forward(batch, {}).final_BTD[0][batch.tokens.size(1) - 1]);
}

std::vector<Continuation> decoded(run::Assembled& run, const Mesh& mesh, Decoder& decoder,
                                  const std::vector<std::string>& prompts, int64_t tokens) {
  return run::decode(run, mesh, decoder, {run::encoded(*run.tokenizer, prompts), tokens, 1});
}

std::vector<int64_t> prompt_ids(const run::Assembled& run, const std::string& prompt) {
  std::vector<int64_t> ids{run.vocabulary->special(kEndOfText)};
  for (const auto id : run.tokenizer->encode(prompt)) ids.push_back(id);
  return ids;
}

class Decode : public ::testing::TestWithParam<int> {
 protected:
  Decode() { tiny_.mesh(GetParam(), 1); }
  TinyRun tiny_;
};

class DecodeOfScheme : public ::testing::TestWithParam<std::tuple<json, int>> {};

TEST_P(DecodeOfScheme, EqualsTheFullForwardForPromptsOfAnyLength) {
  const std::vector<std::string> prompts{"ab", "", "abcdefgh ab"};
  TinyRun tiny;
  tiny.model()["positional"] = std::get<0>(GetParam());
  tiny.mesh(std::get<1>(GetParam()), 1);
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    auto decoder = most_likely();
    const auto together = decoded(run, mesh, decoder, prompts, 9);
    ASSERT_EQ(together.size(), prompts.size());
    for (size_t p = 0; p < prompts.size(); ++p) {
      auto ids = prompt_ids(run, prompts[p]);
      double log_prob = 0;
      for (size_t i = 0; i < 9; ++i) {
        const auto logits = full_logits(run, mesh, ids);
        const auto best = at::argmax(logits, -1).item<int64_t>();
        log_prob += at::log_softmax(logits, -1)[best].item<double>();
        ids.push_back(best);
        ASSERT_LT(i, together[p].ids.size());
        EXPECT_EQ(together[p].ids[i], best) << "prompt " << p << ", token " << i;
      }
      EXPECT_NEAR(together[p].log_prob, log_prob, 1e-10);
      const std::vector<int32_t> narrow(together[p].ids.begin(), together[p].ids.end());
      EXPECT_EQ(together[p].text, run.tokenizer->decode(narrow));
    }
  });
}

TEST_P(Decode, GivesTheDecoderTheStateOfEveryRow) {
  tiny_.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    Scripted decoder([&](DecodeContext& context) {
      const auto B = context.tokens().size(0), S = context.tokens().size(1);
      EXPECT_EQ(context.mask().sizes(), context.tokens().sizes());
      EXPECT_EQ(context.hidden().sizes(), (std::vector<int64_t>{B, S, 16}));
      EXPECT_EQ(context.logits().sizes(), (std::vector<int64_t>{B, 257}));
      for (int64_t b = 0; b < B; ++b) {
        const auto mine = context.tokens()[b].masked_select(context.mask()[b]);
        const std::vector<int64_t> ids(mine.data_ptr<int64_t>(), mine.data_ptr<int64_t>() + mine.numel());
        EXPECT_LT((context.logits()[b] - full_logits(run, mesh, ids)).abs().max().item<double>(), 1e-12);
        // Trying two candidates returns the states that would follow each, and has no side effects.
        auto longer = ids;
        longer.push_back(7);
        const auto candidates = at::tensor({5, 7}, at::kLong).unsqueeze(0).repeat({B, 1});
        const auto tried = context.try_tokens(candidates);
        EXPECT_LT((run.model->logits(tried[b][1]) - local_logits(run, longer)).abs().max().item<double>(), 1e-12);
        EXPECT_EQ(context.tokens().size(1), S);
      }
      return Choice{at::full({B}, 65 + context.step(), at::kLong), {}};
    });
    const auto out = decoded(run, mesh, decoder, {"abc", "a"}, 4);
    EXPECT_EQ(out[0].text, "ABCD");
    EXPECT_EQ(out[1].text, "ABCD");
    EXPECT_FALSE(out[0].ended);
  });
}

// A decoder that asks for states late gets those of all previous tokens, also after rows have moved.
TEST_P(Decode, GivesStatesAlsoLate) {
  tiny_.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    int compared = 0;
    Scripted decoder([&](DecodeContext& context) {
      const auto B = context.tokens().size(0);
      for (int64_t b = 0; context.step() >= 2 && b < B; ++b, ++compared) {
        Batch batch;
        batch.tokens = context.tokens()[b].masked_select(context.mask()[b]).unsqueeze(0);
        const auto states = run.model->forward(batch, {}).final_BTD[0];
        const auto mine = context.hidden()[b].narrow(0, context.hidden().size(1) - states.size(0), states.size(0));
        EXPECT_LT((mine - states).abs().max().item<double>(), 1e-12);
      }
      const auto tokens = at::full({B}, 65 + context.step(), at::kLong);
      return context.step() == 1 || context.step() == 3 ? Choice{tokens, at::tensor({1, 0}, at::kLong)}
                                                        : Choice{tokens, {}};
    });
    decoded(run, mesh, decoder, {"abc", "a"}, 5);
    EXPECT_EQ(compared, 6);
  });
}

// Rows may be dropped, repeated and swapped, as in beam search: each continues with its parent's cache.
TEST_P(Decode, RowsContinueFromTheirParents) {
  tiny_.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    Scripted decoder([&](DecodeContext& context) {
      const auto ids = [](std::vector<int64_t> values) { return at::tensor(values); };
      switch (context.step()) {
        case 0:
          return Choice{ids({97, 98, 99}), ids({0, 0, 1})};  // two rows of the first prompt
        case 1:
          return Choice{ids({100, 101, 102}), ids({1, 0, 2})};  // swapped
        default:
          return Choice{ids({103, 104}), ids({0, 2})};  // the second row of the first prompt is dropped
      }
    });
    const auto out = decoded(run, mesh, decoder, {"x", "yz"}, 3);
    EXPECT_EQ(out[0].text, "bdg");
    EXPECT_EQ(out[1].text, "cfh");
    auto ids = prompt_ids(run, "x");
    double log_prob = 0;
    for (const int64_t next : {98, 100, 103}) {
      log_prob += at::log_softmax(full_logits(run, mesh, ids), -1)[next].item<double>();
      ids.push_back(next);
    }
    EXPECT_NEAR(out[0].log_prob, log_prob, 1e-10);
  });
}

TEST_P(Decode, EndedRowsStayEnded) {
  tiny_.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const auto end_of_text = run.vocabulary->special(kEndOfText);
    int calls = 0;
    Scripted decoder([&](DecodeContext& context) {
      ++calls;
      const bool first = context.step() == 1, all = context.step() == 3;
      return Choice{at::tensor({first || all ? end_of_text : 97, all ? end_of_text : 98}, at::kLong), {}};
    });
    const auto out = decoded(run, mesh, decoder, {"x", "y"}, 10);
    EXPECT_EQ(calls, 4);
    EXPECT_EQ(out[0].text, "a");
    EXPECT_EQ(out[1].text, "bbb");
    EXPECT_TRUE(out[0].ended && out[1].ended);
    auto ids = prompt_ids(run, "x");
    double log_prob = 0;  // includes the end of text and nothing after it
    for (const int64_t next : {int64_t{97}, end_of_text}) {
      log_prob += at::log_softmax(full_logits(run, mesh, ids), -1)[next].item<double>();
      ids.push_back(next);
    }
    EXPECT_NEAR(out[0].log_prob, log_prob, 1e-10);
  });
}

// Every position of the model can be used: the last token is chosen from the tokens before it.
TEST_P(Decode, UsesAllPositionsUpToTheModelsLimit) {
  tiny_.model()["positional"] = {{"use", "learned"}, {"positions", 8}};
  tiny_.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    Scripted decoder([](DecodeContext&) { return Choice{at::full({1}, 97, at::kLong), {}}; });
    EXPECT_EQ(decoded(run, mesh, decoder, {""}, 8)[0].text, "aaaaaaaa");
    EXPECT_EQ(decoded(run, mesh, decoder, {"1234567"}, 1)[0].text, "a");
    const auto refused = [&](const std::string& prompt, int64_t tokens) {
      EXPECT_THAT([&] { decoded(run, mesh, decoder, {prompt}, tokens); },
                  ThrowsMessage<UserError>(HasSubstr("the model's limit of 8 positions; shorten the prompt")))
          << prompt << " " << tokens;
    };
    refused("", 9);
    EXPECT_THAT([&] { decoded(run, mesh, decoder, {""}, 9); },
                ThrowsMessage<UserError>(HasSubstr("a prompt of 0 tokens and a continuation of 9 tokens exceed")));
    EXPECT_THAT([&] { decoded(run, mesh, decoder, {"1"}, 8); },
                ThrowsMessage<UserError>(HasSubstr("a prompt of 1 token and a continuation of 8 tokens exceed")));
    refused("1234567", 2);
    refused("12345678", 1);
    // A decoder that tries candidates needs one more position.
    const auto tries = make<Decoder>("contrastive");
    EXPECT_EQ(decoded(run, mesh, *tries, {"123456"}, 1)[0].ids.size(), 1u);
    EXPECT_THAT(
        [&] { decoded(run, mesh, *tries, {"1234567"}, 1); },
        ThrowsMessage<UserError>(HasSubstr("a continuation of 1 token with candidates exceed the model's limit of 8")));
    refused("", std::numeric_limits<int64_t>::max());
  });
}

TEST_P(Decode, RefusesABidirectionalModel) {
  tiny_.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    FakeModel both_ways;
    both_ways.is_causal = false;
    run.model = &both_ways;
    auto decoder = most_likely();
    EXPECT_THAT([&] { decoded(run, mesh, decoder, {""}, 1); },
                ThrowsMessage<UserError>(HasSubstr("this model is bidirectional")));
  });
}

TEST_P(Decode, RefusesInvalidChoices) {
  tiny_.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
    const auto choosing = [&](const Choice& choice) {
      return [&, choice] {
        Scripted decoder([&](DecodeContext&) { return choice; });
        decoded(run, mesh, decoder, {"x"}, 2);
      };
    };
    const auto one = at::full({1}, 5, at::kLong);
    EXPECT_THAT(
        choosing({at::full({1}, 257, at::kLong), {}}),
        ThrowsMessage<PluginError>(AllOf(HasSubstr("'scripted'"), HasSubstr("outside the vocabulary of size 257"))));
    EXPECT_THAT(choosing({at::full({1}, -1, at::kLong), {}}),
                ThrowsMessage<PluginError>(HasSubstr("outside the vocabulary")));
    EXPECT_THAT(choosing({one, at::full({1}, 1, at::kLong)}), ThrowsMessage<PluginError>(HasSubstr("among the 1")));
    EXPECT_THAT(choosing({at::full({2}, 5, at::kLong), {}}), ThrowsMessage<PluginError>(HasSubstr("tokens [B] int64")));
    EXPECT_THAT(choosing({{}, {}}), ThrowsMessage<PluginError>(HasSubstr("tokens [B] int64")));
  });
}

INSTANTIATE_TEST_SUITE_P(Schemes, DecodeOfScheme,
                         ::testing::Combine(::testing::ValuesIn(positional_schemes()), ::testing::Values(1, 2)),
                         [](const auto& info) {
                           return std::get<0>(info.param)["use"].template get<std::string>() + "_on_" +
                                  std::to_string(std::get<1>(info.param));
                         });
INSTANTIATE_TEST_SUITE_P(TensorRanks, Decode, ::testing::Values(1, 2));

}  // namespace
}  // namespace assay::testing
