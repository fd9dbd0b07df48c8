// What a plan finds about rows that a transform makes: their number and padding, rows that are too long, transforms and
// models that exclude one another; and what a run reports of the data that it has read.
#include <gmock/gmock.h>

#include <algorithm>

#include "run/data_sizes.h"
#include "run/run.h"
#include "run/step.h"
#include "run/validate.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const json kViews{{"use", "norm_views"}, {"label", "norm_views"}, {"views", "4"}};

struct PlannedRows : TinyRun {
  PlannedRows() {
    auto& train = line["train"];
    train["data"]["dataset"] = {{"use", "norms_planted"}, {"train", 12}, {"held_out", 2}};
    train["data"]["context"] = 160;
    train["transforms"] = {kViews};
  }
  // "path: message" of every finding.
  std::vector<std::string> findings() const {
    std::vector<std::string> all;
    for (const auto& one : run::validate(registry(), planned()))
      all.push_back(one["path"].get<std::string>() + ": " + one["message"].get<std::string>());
    return all;
  }
  void evaluate(const json& config) {
    line["evaluate"] = {{{"id", "e"}, {"label", "mine"}, {"every", 0}, {"split", "test"}, {"config", config}}};
  }
};

TEST(RowsPlan, CountsRowsAndPadding) {
  const PlannedRows tiny;
  EXPECT_THAT(tiny.findings(), IsEmpty());
  const run::Assembled run(registry(), tiny.planned());
  run::DataSizes sizes;
  const auto& epoch = sizes.epoch(run);
  int64_t rows = 0, real = 0;
  tiny.on_ranks([&](run::Assembled&, const Mesh&, data::TrainingData& data) {
    rows = data.contexts_of(0);
    const auto batch = data.rows(0, rows, 0);
    real = batch.key_mask.sum().item<int64_t>();
  });
  EXPECT_EQ(epoch.sequences, rows);
  EXPECT_EQ(epoch.tokens, rows * 160);
  EXPECT_NEAR(epoch.filled, static_cast<double>(real) / static_cast<double>(rows * 160), 1e-12);
}

TEST(RowsPlan, ARowLongerThanTheContextIsRefused) {
  PlannedRows tiny;
  tiny.line["train"]["data"]["context"] = 20;
  EXPECT_THAT(tiny.findings(),
              ElementsAre(AllOf(HasSubstr("data.context: document 'rot/planted/"), HasSubstr("view 'controlled': the "),
                                HasSubstr("and a row holds 20; set data.context to"))));
  // The rows of evaluations, too; those of the demo are longer than those of training.
  tiny.line["train"]["data"]["context"] = 160;
  for (const auto* evaluator : {"views", "classification"}) {
    tiny.evaluate({{"use", evaluator}, {"transform", {{"use", "norm_views"}, {"views", "demo"}}}});
    EXPECT_THAT(tiny.findings(), ::testing::Contains(AllOf(HasSubstr("evaluate.mine: document 'rot/planted/"),
                                                           HasSubstr("view 'demo': the row has"))))
        << evaluator;
  }
}

TEST(RowsPlan, RowsExcludeOtherTransformsOfDocuments) {
  PlannedRows tiny;
  auto& transforms = tiny.line["train"]["transforms"];
  transforms.push_back({{"use", "labelled"}, {"label", "labels"}, {"field", "rot-agree"}, {"classes", {"0", "1"}}});
  EXPECT_THAT(tiny.findings(),
              ElementsAre("transform.labels: the transform 'norm_views' makes the rows already; keep one of the two"));
  transforms[1] = {{"use", "fim"}, {"label", "fim"}, {"stage", "document"}};
  EXPECT_THAT(tiny.findings(), ElementsAre(HasSubstr("transform.fim: the transform changes documents, but "
                                                     "'norm_views' makes rows of their fields")));
}

TEST(RowsPlan, AModelWithAnEncoderNeedsRowsAndTheirOrder) {
  PlannedRows tiny;
  tiny.model() = {{"use", "t5"}, {"layers", 1}, {"width", 16}, {"heads", 4}};
  EXPECT_THAT(tiny.findings(), IsEmpty());
  auto& transforms = tiny.line["train"]["transforms"];
  transforms.push_back({{"use", "fim"}, {"label", "fim"}});
  EXPECT_THAT(tiny.findings(), ElementsAre(HasSubstr("transform.fim: the transform may move tokens")));
  transforms = json::array();
  EXPECT_THAT(tiny.findings(), ElementsAre(HasSubstr("model: the model's encoder reads the source of a row")));
}

// Whatever weights a transform gives, no target before the last token of the source counts for an encoder-decoder.
TEST(RowsPlan, AnEncodersSourceHasNoWeight) {
  PlannedRows output, all;
  for (auto* tiny : {&output, &all}) tiny->model() = {{"use", "t5"}, {"layers", 1}, {"width", 16}, {"heads", 4}};
  all.line["train"]["transforms"][0]["loss_on"] = "all";
  const auto weights = [](const PlannedRows& tiny) {
    Tensor found;
    tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
      found = run::micro_batches(run, mesh, data, 0).at(0).loss_weight;
    });
    return found;
  };
  EXPECT_GT(weights(output).sum().item<double>(), 0);
  EXPECT_TRUE(weights(all).equal(weights(output)));
}

// Counts and irregularities of the data are in the report of a run, from which its record is written, and in the plan.
TEST(RowsPlan, TheDatasetsCountsAndWarningsAreReported) {
  PlannedRows tiny;
  tiny.line["train"]["data"]["dataset"] = {
      {"use", "norms"}, {"path", (source_folder() / "plugins/dataset/norms/synthetic.tsv").string()}};
  tiny.line["train"]["data"]["context"] = 400;
  tiny.line["train"]["train"]["steps"] = 1;
  const run::Assembled assembled(registry(), tiny.planned());
  run::DataSizes sizes;
  EXPECT_THAT(run::data_notes(assembled, sizes),
              ::testing::Contains(HasSubstr("data.dataset: 1 x character index beyond the listed characters")));
  Losses losses;
  const auto report = run::execute(registry(), tiny.planned(),
                                   {.run = tiny.folder.path(), .contexts = tiny.folder.path() / "contexts"}, losses);
  EXPECT_EQ(report.data_counts.at("rows"), 272);
  EXPECT_EQ(report.data_warnings.size(), 3u);
}

}  // namespace
}  // namespace assay::testing
