// Training on padded rows: their loss and gradient are those of the rows alone, on every mesh and in every micro-batch;
// a model with an encoder reads their sources.
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "run/forward.h"
#include "unit/run/cocolm_run.h"
#include "unit/run/gradients.h"

namespace assay::testing {
namespace {

void read_norms(TinyRun& tiny) {
  auto& train = tiny.line["train"];
  train["data"]["dataset"] = {{"use", "norms_planted"}, {"train", 12}, {"held_out", 2}, {"rots", 1}};
  train["data"]["context"] = 160;
  train["transforms"] = {{{"use", "norm_views"}, {"label", "norm_views"}, {"views", "4"}}};
}

struct NormRows : TinyRun {
  NormRows() { read_norms(*this); }
};

json t5() {
  return {{"use", "t5"}, {"layers", 2}, {"encoder_layers", 1}, {"width", 16}, {"heads", 4}, {"dropout", 0.1}};
}

// Without dropout, whose draws would be the same for a row alone, too, but keyed by its number in the batch.
TEST(Rows, TheLossOfABatchIsThatOfItsRowsAlone) {
  for (const auto& [encoder, loss_on] : {std::pair{false, "output"}, {false, "all"}, {true, "output"}}) {
    NormRows tiny;
    if (encoder) tiny.model() = t5();
    tiny.model()["dropout"] = 0.0;
    tiny.line["train"]["transforms"][0]["loss_on"] = loss_on;
    const bool all = loss_on == std::string("all");
    const auto found = gradients_of(tiny);
    double nats = 0, targets = 0, padding = 0;
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
      const c10::NoGradGuard no_grad;
      const auto batch = run::micro_batches(run, mesh, data, 0).at(0);
      for (int64_t row = 0; row < batch.rows(); ++row) {
        const auto length = batch.key_mask[row].sum().item<int64_t>();
        padding += static_cast<double>(batch.length() - length);
        const auto cut = [&](const Tensor& x) { return x[row].narrow(0, 0, length).unsqueeze(0); };
        Batch alone;
        alone.tokens = cut(batch.tokens);
        alone.targets = cut(batch.targets);
        alone.source_length = batch.source_length.narrow(0, row, 1);
        run::ForwardPass pass(*run.model, alone, {}, run.vocabulary->size(), mesh);
        const auto nll = pass.token_nll()[0];
        for (int64_t t = all ? 0 : batch.source_length[row].item<int64_t>() - 1; t + 1 < length; ++t)
          nats += nll[t].item<double>(), ++targets;
      }
    });
    EXPECT_GT(padding, 100);
    EXPECT_NEAR(found.loss, nats / targets, 1e-12 * found.loss) << encoder << loss_on;
  }
}

TEST(Rows, EveryMeshAndMicroBatchHasTheSameGradient) {
  for (const auto& [encoder, norm] : {std::pair{false, "tokens"}, {false, "padded"}, {true, "tokens"}}) {
    NormRows tiny;
    if (encoder) tiny.model() = t5();
    tiny.line["train"]["objectives"][0]["norm"] = norm;
    const auto whole = gradients_of(tiny);
    for (const auto& [tensor, data, rows] : {std::tuple{2, 1, 6}, {4, 1, 6}, {1, 2, 3}, {2, 2, 2}, {1, 1, 4}}) {
      tiny.mesh(tensor, data);
      tiny.line["resources"]["micro_batch"] = rows;
      expect_close(
          whole, gradients_of(tiny), 1e-11,
          "tensor " + std::to_string(tensor) + ", data " + std::to_string(data) + ", rows " + std::to_string(rows));
    }
  }
}

// Other objectives train on the same rows.
TEST(Rows, SimCtgAndCocoLmHaveTheSameGradientOnEveryMesh) {
  NormRows simctg;
  simctg.line["train"]["objectives"] = {{{"use", "mle"}, {"label", "mle"}, {"weight", 1.0}},
                                        {{"use", "simctg"}, {"label", "simctg"}, {"weight", 1.0}}};
  CocoLmRun cocolm;
  read_norms(cocolm);
  cocolm.model()["positional"] = cocolm.line["train"]["objectives"][0]["generator"]["positional"] = {{"use", "t5"}};
  for (auto* tiny : std::initializer_list<TinyRun*>{&simctg, &cocolm}) {
    const auto whole = gradients_of(*tiny);
    const auto size = tiny->line["resources"]["micro_batch"].get<int64_t>();
    for (const auto& [tensor, data, rows] :
         {std::tuple{2, 1, size}, {4, 1, size}, {1, 2, size / 2}, {2, 2, size / 4}}) {
      tiny->mesh(tensor, data);
      tiny->line["resources"]["micro_batch"] = std::max<int64_t>(rows, 1);
      expect_close(whole, gradients_of(*tiny), 1e-11, "tensor " + std::to_string(tensor));
    }
  }
}

// Tokens of the source reach the output of a model with an encoder, and the states before it are zeros.
TEST(Rows, AnEncoderReadsTheWholeSource) {
  NormRows tiny;
  tiny.model() = t5();
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    const c10::NoGradGuard no_grad;
    const auto batch = run::micro_batches(run, mesh, data, 0).at(0);
    const auto states = [&](const Batch& given) {
      return run::ForwardPass(*run.model, given, {}, run.vocabulary->size(), mesh).hidden();
    };
    const auto before = states(batch);
    for (int64_t row = 0; row < batch.rows(); ++row) {
      const auto source = batch.source_length[row].item<int64_t>();
      EXPECT_EQ(before[row].narrow(0, 0, source - 1).abs().max().item<double>(), 0);
      EXPECT_GT(before[row][source - 1].abs().max().item<double>(), 0);
      for (const int64_t at : {int64_t{0}, int64_t{1}, source / 2}) {
        auto changed = batch;
        changed.tokens = batch.tokens.clone();
        changed.tokens[row][at] = 33;
        const auto moved = (states(changed)[row] - before[row]).abs().amax({1});
        EXPECT_GT(moved[source - 1].item<double>(), 1e-9) << row << " " << at;
      }
    }
  });
}

// Added tokens start as the mean of the initial rows of their words, on every mesh; others are drawn.
TEST(Rows, AddedTokensStartAsTheirWords) {
  for (const int ranks : {1, 2, 4}) {
    NormRows tiny;
    tiny.mesh(ranks, 1);
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData&) {
      const auto& table = run.parameters->all().front();
      ASSERT_EQ(table.spec.name, "model.embedding.weight");
      const auto whole = reassembled(table, table.value.detach(), mesh);
      const auto row = [&](const std::string& token) { return whole[run.vocabulary->special(token)]; };
      auto mean = at::zeros_like(whole[0]);
      for (const char letter : std::string(" very bad")) mean += whole[letter] / 9.0;
      EXPECT_LE((row("<very-bad>") - mean).abs().max().item<double>(), 1e-15);
      EXPECT_FALSE(row("[rot]").equal(row("[action]")));
      const Draws draws(3, "model.embedding.weight");
      const auto first = static_cast<uint64_t>(run.vocabulary->special("[rot]") * 16);
      EXPECT_EQ(row("[rot]")[5].item<double>(), 0.2 * draws.normal(first + 5));
    });
  }
}

}  // namespace
}  // namespace assay::testing
