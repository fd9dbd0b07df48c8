// Padding that a transform adds to a sequence: objectives on hidden states do not count it, real tokens do not attend
// to it, and it does not change the positions of other tokens.
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "run/forward.h"
#include "run/step.h"
#include "unit/run/gradients.h"

namespace assay::testing {
namespace {

// Sequences of four-byte characters, cut at characters: most end in padding.
struct Padded : TinyRun {
  explicit Padded(const json& objective) {
    std::string text;
    const Draws draws(11, "emoji");
    for (uint64_t i = 0; i < 4000; ++i)
      text += std::string("\xF0\x9F\x98") + static_cast<char>(0x80 + draws.below(32, i)) + (i % 50 == 49 ? "\n\n" : "");
    folder.write("text.txt", text);
    line["train"]["data"]["context"] = 32;
    line["train"]["transforms"] = {{{"use", "fim"}, {"label", "fim"}, {"rate", 1.0}}};
    line["train"]["objectives"] = json::array({objective});
    model()["dropout"] = 0.0;
  }
};

// The objective over pairs of real tokens, one by one. All tokens but <fim_pad> are real.
double cost_of_pairs(const Tensor& h_TD, const std::vector<bool>& real, double margin, bool diagonal, double& pairs) {
  const auto cosine = [&](int64_t i, int64_t j) {
    const auto a = h_TD[i], b = h_TD[j];
    return (a * b).sum().item<double>() / std::sqrt((a * a).sum().item<double>() * (b * b).sum().item<double>());
  };
  double sum = 0;
  for (int64_t i = 0; i < h_TD.size(0); ++i)
    for (int64_t j = 0; j < h_TD.size(0); ++j) {
      if (!real[static_cast<size_t>(i)] || !real[static_cast<size_t>(j)] || (i == j && !diagonal)) continue;
      sum += std::max(0.0, margin - 1 + cosine(i, j));
      ++pairs;
    }
  return sum;
}

TEST(Padding, DoesNotCountInSimCtg) {
  for (const std::string reduction : {"per_pair", "per_sequence", "with_diagonal"}) {
    const Padded tiny(
        json{{"use", "simctg"}, {"label", "simctg"}, {"weight", 1.0}, {"margin", 0.9}, {"reduction", reduction}});
    double expected = 0, with_padding = 0, padding = 0;
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
      const c10::NoGradGuard no_grad;
      Batch view;
      view.tokens = run::micro_batches(run, mesh, data, 0).at(0).tokens;
      run::ForwardPass pass(*run.model, view, {}, run.vocabulary->size(), mesh);
      const auto pad = run.vocabulary->special("<fim_pad>");
      double sum = 0, pairs = 0, means = 0, sum_of_all = 0, all_pairs = 0, means_of_all = 0;
      for (int64_t row = 0; row < view.rows(); ++row) {
        std::vector<bool> real;
        for (int64_t t = 0; t < view.length(); ++t) real.push_back(view.tokens[row][t].item<int64_t>() != pad);
        padding += static_cast<double>(std::count(real.begin(), real.end(), false));
        const auto add = [&](const std::vector<bool>& counts, double& to_sum, double& to_pairs, double& to_means) {
          double own = 0;
          const double cost = cost_of_pairs(pass.hidden()[row], counts, 0.9, reduction == "with_diagonal", own);
          to_sum += cost;
          to_pairs += own;
          to_means += cost / own / static_cast<double>(view.rows());
        };
        add(real, sum, pairs, means);
        add(std::vector<bool>(real.size(), true), sum_of_all, all_pairs, means_of_all);
      }
      expected = reduction == "per_sequence" ? means : sum / pairs;
      with_padding = reduction == "per_sequence" ? means_of_all : sum_of_all / all_pairs;
    });
    EXPECT_GT(padding, 0);
    const double found = gradients_of(tiny).metrics.at("simctg.cl");
    EXPECT_NEAR(found, expected, 1e-12) << reduction;
    EXPECT_GT(std::abs(expected - with_padding), 1e-4) << reduction;
  }
}

// The id of the padding token has no effect on a bidirectional model, which reads the text as if it ended there.
TEST(Padding, IsNotAttendedTo) {
  Padded tiny(json{{"use", "simctg"}, {"label", "simctg"}, {"weight", 1.0}});
  tiny.model() = {{"use", "bert"},
                  {"layers", 2},
                  {"width", 16},
                  {"heads", 4},
                  {"head", "none"},
                  {"init_std", 0.2},
                  {"positional", {{"use", "learned"}, {"positions", 32}}}};
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    const c10::NoGradGuard no_grad;
    const auto batch = run::micro_batches(run, mesh, data, 0).at(0);
    ASSERT_TRUE(batch.key_mask.defined());
    run::ForwardPass pass(*run.model, batch, {}, run.vocabulary->size(), mesh);
    int64_t shorter = 0;
    for (int64_t row = 0; row < batch.rows(); ++row) {
      const auto length = batch.key_mask[row].sum().item<int64_t>();
      shorter += length < batch.length();
      Batch alone;
      alone.tokens = batch.tokens[row].narrow(0, 0, length).unsqueeze(0);
      run::ForwardPass cut(*run.model, alone, {}, run.vocabulary->size(), mesh);
      EXPECT_LE((pass.hidden()[row].narrow(0, 0, length) - cut.hidden()[0]).abs().max().item<double>(), 1e-12);
    }
    EXPECT_GT(shorter, 0);
  });
}

// Puts three padding tokens in front of every sequence.
class InFront final : public Transform {
 public:
  Stage stage() const override { return Stage::kContext; }
  void apply(Sample& sample, const Draws&) const override {
    sample.tokens.insert(sample.tokens.begin(), 3, 0);
    sample.tokens.resize(sample.tokens.size() - 3);
    sample.key_mask.assign(sample.tokens.size(), true);
    for (size_t i = 0; i < 3; ++i) sample.key_mask[i] = false;
  }
};

TEST(Padding, InFrontDoesNotShiftPositions) {
  for (const json& scheme : {json{{"use", "alibi"}}, json{{"use", "learned"}, {"positions", 16}},
                             json{{"use", "rotary"}}, json{{"use", "sinusoidal"}}, json{{"use", "t5"}}}) {
    TinyRun tiny;
    tiny.model()["positional"] = scheme;
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
      const c10::NoGradGuard no_grad;
      const InFront in_front;
      data::TrainingData padded(
          {run.dataset, run.vocabulary.get(), {&in_front}, run.context, run.data_seed, "in-front", tiny.folder.path()});
      run::ForwardPass with(*run.model, padded.rows(0, 4, 0), {}, run.vocabulary->size(), mesh),
          without(*run.model, data.rows(0, 4, 0), {}, run.vocabulary->size(), mesh);
      const auto there = with.hidden().narrow(1, 3, 13), here = without.hidden().narrow(1, 0, 13);
      EXPECT_LE((there - here).abs().max().item<double>(), 1e-12) << scheme;
      // The losses for the same targets are the same, and padding has none.
      const auto weight = with.batch().loss_weight;
      EXPECT_EQ(weight.narrow(1, 0, 2).abs().max().item<double>(), 0) << scheme;
      EXPECT_LE((with.token_nll().narrow(1, 3, 12) - without.token_nll().narrow(1, 0, 12)).abs().max().item<double>(),
                1e-12)
          << scheme;
    });
  }
}

}  // namespace
}  // namespace assay::testing
