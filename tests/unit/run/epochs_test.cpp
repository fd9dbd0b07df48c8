// Runs across the end of an epoch: the same bits after a resume, and the same gradients when one of two replicas has
// the wrapped end.
#include <gtest/gtest.h>

#include <atomic>

#include "run/data_spec.h"
#include "unit/run/cocolm_run.h"
#include "unit/run/gradients.h"

namespace assay::testing {
namespace {

namespace fs = std::filesystem;

void use_one_text(TinyRun& tiny, const std::string& text) {
  tiny.folder.write("text.txt", text);
  tiny.line["train"]["data"]["dataset"].merge_patch({{"validation_fraction", 0.0}, {"test_fraction", 0.0}});
}

// Fill-in-the-middle makes documents longer, so epochs differ in length; the second one begins during the run.
TEST(Epochs, OfDifferentLengthsResumeBitForBitWithoutTheEarlierOnes) {
  TinyRun tiny;
  use_one_text(tiny, made_text(120));
  tiny.line["train"]["transforms"] = {{{"use", "fim"}, {"label", "fim"}, {"rate", 0.5}, {"stage", "document"}}};
  tiny.line["train"]["train"].merge_patch({{"precision", "fp32"}, {"steps", 12}});
  tiny.line["checkpoint"] = {{"keep", "weights"}};
  tiny.mesh(1, 2);
  tiny.line["resources"]["micro_batch"] = 3;
  const auto attempt = [&](const char* run, const char* contexts, int64_t until) {
    Losses losses;
    fs::create_directories(tiny.folder / run);
    const auto report =
        run::execute(registry(), tiny.planned(),
                     {.run = tiny.folder / run, .contexts = tiny.folder / contexts, .until = until}, losses);
    return std::pair{losses.values, report.weights_sha256};
  };
  const auto files = [&](const char* contexts) {
    std::string epochs;
    for (int epoch = 0; epoch < 9; ++epoch)
      for (const auto& entry : fs::directory_iterator(tiny.folder / contexts))
        if (entry.path().filename().string().ends_with("-" + std::to_string(epoch) + ".tokens"))
          epochs += std::to_string(epoch);
    return epochs;
  };
  const auto [whole, weights] = attempt("whole", "contexts", 0);
  ASSERT_EQ(whole.size(), 12u);
  ASSERT_FALSE(weights.empty());
  EXPECT_EQ(files("contexts"), "01");
  auto [begun, none] = attempt("stopped", "contexts", 9);
  EXPECT_EQ(none, "");
  const auto [rest, again] = attempt("stopped", "other", 0);  // the cache was deleted
  EXPECT_EQ(again, weights);
  begun.insert(begun.end(), rest.begin(), rest.end());
  EXPECT_EQ(begun, whole);
  EXPECT_EQ(files("other"), "1");
}

// 91 targets are five sequences of 16 and one of 11: the first step's six rows are one epoch.
TEST(Epochs, TheWrappedEndOnOneReplicaEqualsOneProcess) {
  TinyRun tiny;
  use_one_text(tiny, made_text(39).substr(0, 90));
  std::atomic<int> batches = 0, with_weights = 0;
  std::atomic<double> targets = 0;
  const auto count = [&](const Batch& batch) {
    ++batches;
    with_weights += batch.loss_weight.defined();
    targets += batch.loss_weight.defined() ? batch.loss_weight.sum().item<double>()
                                           : static_cast<double>(batch.targets.numel());
  };
  const auto reference = gradients_of(tiny, count);
  EXPECT_EQ(targets.load(), 91);
  batches = 0, with_weights = 0, targets = 0;
  tiny.mesh(1, 2);
  tiny.line["resources"]["micro_batch"] = 3;
  const auto two = gradients_of(tiny, count);
  EXPECT_EQ(batches.load(), 2);
  EXPECT_EQ(with_weights.load(), 1);
  EXPECT_EQ(targets.load(), 91);
  expect_close(reference, two, 1e-11, "two replicas");
}

// COCO-LM reads 15 of 16 tokens, after its [CLS]: 91 targets are seven sequences, and it reads all 90 bytes and the end
// of text before them.
TEST(Epochs, EveryTokenIsReadAfterACls) {
  CocoLmRun tiny(json{{"objective", "mlm"}});
  const auto text = made_text(39).substr(0, 90);
  use_one_text(tiny, text);
  tiny.on_ranks([&](run::Assembled& run, const Mesh&, data::TrainingData&) {
    data::TrainingData data(run::data_spec(run, tiny.planned(), "library", tiny.folder.path()));
    ASSERT_EQ(data.contexts_of(0), 7);
    const auto tokens = data.rows(0, 7, 0).tokens.narrow(1, 0, 15).contiguous();
    std::map<int64_t, int> read, expected{{run.vocabulary->special(kEndOfText), 1}};
    for (const unsigned char byte : text) ++expected[byte];
    for (int64_t i = 0; i < tokens.numel(); ++i) ++read[tokens.data_ptr<int64_t>()[i]];
    for (const auto& [id, count] : expected) EXPECT_GE(read[id], count) << id;
  });
}

}  // namespace
}  // namespace assay::testing
