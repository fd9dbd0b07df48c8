// The contract of a mesh: the same loss and gradients at tensor = 1, 2, 4, at data = 2, and for any division into
// micro-batches, with dropout. Criterion: max|difference| <= tol * max(max|g| of the tensor, RMS of the whole
// gradient).
#include <gtest/gtest.h>

#include "run/forward.h"
#include "run/step.h"
#include "unit/run/gradients.h"

namespace assay::testing {
namespace {

constexpr int64_t kTinyRows = 6;

void expect_one_gradient(TinyRun& tiny, const std::string& precision) {
  const double tolerance = precision == "fp64" ? 1e-11 : 1e-5;
  tiny.line["train"]["train"]["precision"] = precision;
  const auto reference = gradients_of(tiny);
  for (const int tensor : {2, 4}) {
    tiny.mesh(tensor, 1);
    expect_close(reference, gradients_of(tiny), tolerance, precision + " tensor = " + std::to_string(tensor));
  }
  for (const int tensor : {2, 4}) {
    tiny.mesh(tensor, 1, /*sequence_parallel=*/true);
    expect_close(reference, gradients_of(tiny), tolerance,
                 precision + " sequence parallel, tensor = " + std::to_string(tensor));
  }
  tiny.mesh(1, 2);
  expect_close(reference, gradients_of(tiny), tolerance, "data = 2");
  tiny.mesh(2, 2);
  tiny.line["resources"]["micro_batch"] = 2;  // 3 rows per replica: a partial last window
  expect_close(reference, gradients_of(tiny), tolerance, "tensor = 2, data = 2, micro-batches of 2");
  tiny.mesh(2, 2, /*sequence_parallel=*/true);
  expect_close(reference, gradients_of(tiny), tolerance, "sequence parallel, data = 2, micro-batches of 2");
  tiny.mesh(1, 1);
  tiny.line["resources"]["micro_batch"] = 4;
  expect_close(reference, gradients_of(tiny), tolerance, "micro-batches of 4 and 2");
}

class Parallel : public ::testing::TestWithParam<const char*> {};

TEST_P(Parallel, TensorDataAndMicroBatchesGiveTheSameGradient) {
  for (const char* precision : {"fp64", "fp32"}) {
    TinyRun tiny;
    tiny.model().merge_patch(json::parse(GetParam()));
    expect_one_gradient(tiny, precision);
  }
}

// Two objectives on one forward pass; the gradient of a term on hidden states enters them once. In fp64: rounding could
// flip a hinge and change the gradient.
TEST(Parallel, WithATermOnHiddenStates) {
  for (const char* reduction : {"per_pair", "per_sequence"}) {
    TinyRun tiny;
    tiny.line["train"]["objectives"].push_back({{"use", "simctg"},
                                                {"label", "simctg"},
                                                {"weight", 3.0},
                                                {"margin", 0.9},
                                                {"reduction", reduction},
                                                {"positions", 10}});
    expect_one_gradient(tiny, "fp64");
  }
}

// Every rank sees the same sequences, with their parts, weights and heads.
TEST(Parallel, OnRearrangedTexts) {
  for (const char* stage : {"context", "document"}) {
    TinyRun tiny;
    tiny.line["train"]["transforms"].push_back(
        {{"use", "fim"}, {"label", "fim"}, {"rate", 0.7}, {"stage", stage}, {"sentinel_loss", false}});
    tiny.model()["positional"] = {{"use", "alibi"}, {"parts", "heads"}};
    expect_one_gradient(tiny, "fp64");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, Parallel,
    ::testing::Values(
        R"({})", R"({"dropout": 0.0, "positional": {"use": "sinusoidal"}})",
        R"({"positional": {"use": "learned", "positions": 16}})", R"({"positional": {"use": "rotary"}})",
        R"({"tied_head": false, "embedding_norm": true, "bias": false, "gelu": "erf", "positional": {"use": "none"}})"));

// Collectives on the tensor axis in one step: forward, backward, norm.
Communicator::Traffic calls_of_a_step(bool sequence_parallel) {
  TinyRun tiny;
  tiny.line["train"]["train"]["precision"] = "fp32";
  tiny.mesh(2, 1, sequence_parallel);
  Communicator::Traffic step;
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    const auto before = mesh.tensor().traffic();
    run::Metrics metrics;
    double along = 1;  // as in training: whether this rank should stop
    run::accumulate_gradients(run, mesh, 0, {data.rows(0, kTinyRows, 0)}, metrics, nullptr, &along);
    run::gradient_norm(run.parameters->all(), mesh, &along);
    EXPECT_EQ(along, 2);
    if (!mesh.first()) return;
    for (const auto& [call, count] : mesh.tensor().traffic()) {
      const auto earlier = before.find(call);
      const auto made = count - (earlier == before.end() ? 0 : earlier->second);
      if (made > 0) step[call] = made;
    }
  });
  return step;
}

constexpr int64_t kLayers = 2;
constexpr uint64_t kTokens = kTinyRows * 16, kHidden = kTokens * 16 * 4;  // bytes of hidden states

// Shoeybi et al. 2019, sec. 3: 2L+1 all_reduces of hidden states in each direction, three of one number per token, and
// one for the norm, which also carries the stop flag.
TEST(Parallel, NumberOfCollectives) {
  EXPECT_EQ(calls_of_a_step(false), (Communicator::Traffic{{{Collective::kAllReduce, kHidden}, 2 * (2 * kLayers + 1)},
                                                           {{Collective::kAllReduceMax, kTokens * 4}, 1},
                                                           {{Collective::kAllReduce, kTokens * 4}, 2},
                                                           {{Collective::kAllReduce, 16}, 1}}));
}

// Korthikanti et al. 2022, sec. 4.2.2: an all_reduce becomes an all_gather and a reduce_scatter of half the bytes each.
// Forward: two all_gathers and two reduce_scatters per layer, a reduce_scatter of the embeddings, an all_gather for the
// head and the objectives. Backward: the opposite of each, except for the last all_gather, whose gradient is the same
// on all ranks after the head's all_reduce and is sliced. Last, the gradients of the norms and of the biases after
// row-parallel layers: one all_reduce.
TEST(Parallel, NumberOfCollectivesWithSequenceParallelism) {
  constexpr uint64_t kReplicated = 16 * ((2 * kLayers + 1) * 2 + 2 * kLayers);
  EXPECT_EQ(calls_of_a_step(true), (Communicator::Traffic{{{Collective::kAllGather, kHidden / 2}, 4 * kLayers + 2},
                                                          {{Collective::kReduceScatter, kHidden / 2}, 4 * kLayers + 1},
                                                          {{Collective::kAllReduce, kHidden}, 1},
                                                          {{Collective::kAllReduceMax, kTokens * 4}, 1},
                                                          {{Collective::kAllReduce, kTokens * 4}, 2},
                                                          {{Collective::kAllReduce, kReplicated * 4}, 1},
                                                          {{Collective::kAllReduce, 16}, 1}}));
}

TEST(Parallel, DropoutIsOnInTheseTests) {
  TinyRun tiny;
  const auto with = gradients_of(tiny);
  tiny.model()["dropout"] = 0.0;
  EXPECT_GT(std::abs(with.loss - gradients_of(tiny).loss), 1e-3);
}

// The gradient of the whole training step against central differences of its loss.
class Gradient : public ::testing::TestWithParam<const char*> {};

TEST_P(Gradient, AgreesWithFiniteDifferences) {
  TinyRun tiny;
  tiny.model()["positional"] = json::parse(GetParam());
  tiny.mesh(2, 1);
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    const auto loss_now = [&] {
      run::Metrics metrics;
      run::clear_gradients(run.parameters->all());
      return run::accumulate_gradients(run, mesh, 0, {data.rows(0, 4, 0)}, metrics).value();
    };
    loss_now();
    std::map<std::string, Tensor> grads;
    for (auto& parameter : run.parameters->all()) grads[parameter.spec.name] = parameter.value.grad().clone();
    for (auto& parameter : run.parameters->all()) {
      const bool sharded = parameter.spec.shard_dim >= 0;
      // A replicated weight is changed on every rank at once; of a sharded one, rank 0's element is changed.
      auto values = parameter.value.detach().view({-1});
      const double h = 1e-5, before = values[1].item<double>();
      const bool mine = !sharded || mesh.tensor().rank() == 0;
      if (mine) values[1].fill_(before + h);
      const double up = loss_now();
      if (mine) values[1].fill_(before - h);
      const double down = loss_now();
      if (mine) values[1].fill_(before);
      const double grad = grads[parameter.spec.name].view({-1})[1].item<double>();
      EXPECT_NEAR((up - down) / (2 * h), mine ? grad : (up - down) / (2 * h), 1e-7) << parameter.spec.name;
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Schemes, Gradient,
                         ::testing::Values(R"({"use": "alibi"})", R"({"use": "learned", "positions": 16})",
                                           R"({"use": "rotary", "pairs": "interleaved", "fraction": 0.5})"));

// Three ways to compute one value: whole logits, the split cross entropy, and both from given hidden states.
TEST(Forward, LogitsAndLossesAgree) {
  for (const int tensor : {1, 2}) {
    TinyRun tiny;
    tiny.mesh(tensor, 1);
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
      const auto batch = data.rows(0, 3, 0);
      run::ForwardPass pass(*run.model, batch, {}, run.vocabulary->size(), mesh);
      ASSERT_EQ(pass.logits().size(-1), 257);
      const auto expected = pass.logits().log_softmax(-1).gather(-1, batch.targets.unsqueeze(-1)).squeeze(-1).neg();
      EXPECT_LE((pass.token_nll() - expected).abs().max().item<double>(), 1e-12);
      const auto last = pass.hidden().select(1, 15), targets = batch.targets.select(1, 15);
      EXPECT_LE((pass.token_nll(last, targets) - expected.select(1, 15)).abs().max().item<double>(), 1e-12);
      EXPECT_LE((pass.logits(last) - pass.logits().select(1, 15)).abs().max().item<double>(), 1e-12);
      // With whole logits, too, the gradient enters the hidden states once.
      const auto by = [&](const Tensor& sum) {
        run::clear_gradients(run.parameters->all());
        sum.backward();
        return run.parameters->existing("model.layers.0.up.weight").grad().clone();
      };
      run::ForwardPass again(*run.model, batch, {}, run.vocabulary->size(), mesh);
      const auto split = by(again.token_nll().sum()), whole = by(expected.sum());
      EXPECT_LE((split - whole).abs().max().item<double>(), 1e-10);
      EXPECT_THROW(pass.hidden(1), UserError);
    });
  }
}

TEST(Weights, AreDrawnAsIfNotSplit) {
  const auto weights = [](int tensor) {
    std::map<std::string, Tensor> out;
    std::mutex mutex;
    TinyRun tiny;
    tiny.mesh(tensor, 1);
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
      std::map<std::string, Tensor> whole;
      for (const auto& p : run.parameters->all()) whole[p.spec.name] = reassembled(p, p.value.detach(), mesh).clone();
      const std::lock_guard lock(mutex);
      if (mesh.first()) out = whole;
    });
    return out;
  };
  const auto one = weights(1);
  for (const int tensor : {2, 4})
    for (const auto& [name, value] : weights(tensor)) EXPECT_TRUE(value.equal(one.at(name))) << name;
  // 257 real rows are drawn, the padding is zero; element i of the table is draw i of the stream with its name.
  const auto& table = one.at("model.embedding.weight");
  ASSERT_EQ(table.size(0), 264);
  EXPECT_EQ(table.slice(0, 257).abs().max().item<double>(), 0.0);
  const Draws draws(3, "model.embedding.weight");
  EXPECT_DOUBLE_EQ(table[2][5].item<double>(), 0.2 * draws.normal(2 * 16 + 5));
  EXPECT_NEAR(table.slice(0, 0, 257).std().item<double>(), 0.2, 0.01);
}

}  // namespace
}  // namespace assay::testing
