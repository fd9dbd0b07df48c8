// Whole runs: exact repetition, agreement of meshes after many steps, evaluation beyond the training length, errors.
#include "run/run.h"

#include <gtest/gtest.h>

#include <cmath>
#include <mutex>

#include "run/late_means.h"
#include "run/step.h"
#include "run/validate.h"
#include "unit/run/tiny_run.h"

namespace assay::testing {
namespace {

std::pair<std::vector<double>, run::RunReport> run(const TinyRun& tiny) {
  Losses losses;
  auto report = run::execute(registry(), tiny.planned(),
                             {.run = tiny.folder.path(), .contexts = tiny.folder.path() / "contexts"}, losses);
  return {losses.values, report};
}

json lm(std::vector<int> lengths) {
  return {{"id", "e"},
          {"label", "lm"},
          {"every", 0},
          {"split", "validation"},
          {"config", {{"use", "lm"}, {"lengths", lengths}}}};
}

TEST(Run, LearnsAndRepeatsBitForBit) {
  TinyRun tiny;
  tiny.line["train"]["train"].merge_patch({{"precision", "fp32"}, {"steps", 60}});
  tiny.mesh(2, 1);
  const auto [first, report] = run(tiny);
  ASSERT_EQ(first.size(), 60U);
  EXPECT_LT(first.back(), first.front() - 1.0);
  EXPECT_NEAR(report.last_loss.value(), (first[54] + first[55] + first[56] + first[57] + first[58] + first[59]) / 6,
              1e-12);
  EXPECT_EQ(report.tokens, 60 * 6 * 16);
  EXPECT_EQ(run(tiny).first, first);
}

// A corpus of one document is memorised, including its first byte, because evaluation puts the same end of text before
// it as training does. Chance is ln 257 = 5.549 nats.
TEST(Run, TheFirstByteOfTheOnlyDocumentIsLearnt) {
  TinyRun tiny;
  std::ofstream(tiny.folder.path() / "text.txt") << made_text(100).substr(0, 90);
  tiny.line["train"]["data"]["dataset"].merge_patch(
      {{"document", "file"}, {"validation_fraction", 0.0}, {"test_fraction", 0.0}});
  tiny.model().merge_patch({{"dropout", 0.0}, {"width", 32}});
  tiny.line["train"]["train"].merge_patch({{"precision", "fp32"}, {"steps", 60}});
  tiny.line["train"]["optimizer"]["lr"] = 0.01;
  auto first_byte = lm({16});
  first_byte["split"] = "train";
  first_byte["config"]["max_tokens"] = 1;
  tiny.line["evaluate"].push_back(first_byte);
  EXPECT_LT(run(tiny).second.evaluations.at(0).metrics.at(0).value, 0.5);
}

TEST(Run, FiftyStepsAgreeAcrossMeshes) {
  TinyRun tiny;
  tiny.line["train"]["train"].merge_patch({{"precision", "fp32"}, {"steps", 50}});
  const auto reference = run(tiny).first;
  for (const auto& [tensor, data] : {std::pair{2, 1}, {4, 1}, {1, 2}}) {
    tiny.mesh(tensor, data);
    tiny.line["resources"]["micro_batch"] = 3;
    const auto other = run(tiny).first;
    EXPECT_NEAR(other[0], reference[0], 1e-6 * reference[0]);
    EXPECT_NEAR(other[49], reference[49], 1e-4) << tensor << " x " << data;
  }
}

TEST(Run, ReplicatedParametersStayBitIdenticalOnAllRanks) {
  TinyRun tiny;
  tiny.mesh(2, 2);
  tiny.line["resources"]["micro_batch"] = 3;
  tiny.line["train"]["train"]["precision"] = "fp32";
  tiny.on_ranks([&](run::Assembled& run, const Mesh& mesh, data::TrainingData& data) {
    auto& parameters = run.parameters->all();
    for (int64_t step = 0; step < 20; ++step) {
      const auto row = step * 6 + 3 * mesh.data().rank();
      run::Metrics metrics;
      run::accumulate_gradients(run, mesh, step, {data.rows(row, row + 3, 3 * mesh.data().rank())}, metrics);
      run.optimizer->step(1e-2, 1.0);
      run::clear_gradients(parameters);
    }
    for (const auto& parameter : parameters) {
      const auto mine = parameter.value.detach().contiguous();
      const auto compare = [&](Communicator& axis) {
        std::vector<char> all(mine.nbytes() * static_cast<size_t>(axis.size()));
        axis.all_gather(mine.data_ptr(), all.data(), mine.nbytes());
        EXPECT_EQ(std::memcmp(all.data(), all.data() + mine.nbytes(), mine.nbytes()), 0) << parameter.spec.name;
      };
      if (parameter.spec.shard_dim < 0) compare(mesh.tensor());
      compare(mesh.data());
    }
  });
}

TEST(Run, EvaluatesBeyondTheTrainingLength) {
  TinyRun tiny;
  tiny.line["evaluate"] = {lm({16, 64})};
  const auto one = run(tiny).second;
  ASSERT_EQ(one.evaluations.size(), 1U);
  std::map<std::pair<std::string, double>, double> values;
  for (const auto& metric : one.evaluations[0].metrics)
    values[{metric.name, metric.coordinates.at("length")}] = metric.value;
  EXPECT_EQ((values[{"tokens", 16}]), (values[{"tokens", 64}]));
  EXPECT_GT((values[{"nll", 64}]), 1.0);
  tiny.mesh(4, 1);
  const auto four = run(tiny).second;
  for (const auto& metric : four.evaluations[0].metrics)
    EXPECT_NEAR(metric.value, (values[{metric.name, metric.coordinates.at("length")}]), 1e-9) << metric.name;
}

// Packing documents into sequences is core code: another build of the library makes its own epochs.
TEST(Run, AnotherLibraryPacksItsOwnEpochs) {
  TinyRun tiny;
  tiny.line["train"]["train"]["steps"] = 1;
  const auto epochs_after = [&](const std::string& library) {
    Losses losses;
    const auto contexts = tiny.folder / "contexts";
    run::execute(registry(), tiny.planned(), {.run = tiny.folder.path(), .contexts = contexts, .library = library},
                 losses);
    return std::distance(std::filesystem::directory_iterator(contexts), {});
  };
  EXPECT_EQ(epochs_after("one"), 1);
  EXPECT_EQ(epochs_after("one"), 1);
  EXPECT_EQ(epochs_after("other"), 2);
}

// Every rank's evaluation covers the whole split, and an evaluation does not change the training after it.
TEST(Run, EvaluationChangesNothing) {
  TinyRun tiny;
  const auto plain = run(tiny).first;
  tiny.line["evaluate"] = {lm({16})};
  tiny.line["evaluate"][0]["every"] = 3;
  EXPECT_EQ(run(tiny).first, plain);
}

TEST(Run, NonFiniteLossStopsOrSkips) {
  TinyRun tiny;
  tiny.line["train"]["optimizer"]["lr"] = 1e300;
  EXPECT_THROW(run(tiny), NonFinite);
  tiny.line["train"]["train"]["non_finite"] = "skip";
  const auto [losses, report] = run(tiny);
  EXPECT_EQ(losses.size(), 1U);  // skipped steps have none
  EXPECT_EQ(report.skipped, 9);
  EXPECT_TRUE(std::isnan(report.last_loss.value()));
  EXPECT_TRUE(std::isnan(report.last_metrics.at("mle.nll")));
}

TEST(LateMeans, AreOverTheStepsWithAValue) {
  const double nan = std::nan("");
  run::LateMeans late;
  for (const auto& [value, skipped] : {std::pair{2.0, false}, {nan, true}, {4.0, false}, {9.0, true}})
    late.add("loss", value, skipped);  // a spike is skipped, too, although it is finite
  late.add("some.all_skipped", nan, true);
  late.add("some.diverged", 1.0, false);
  late.add("some.diverged", nan, false);
  const auto means = late.means();
  EXPECT_EQ(means.size(), 3U);
  EXPECT_EQ(means.at("loss"), 5.0);
  EXPECT_TRUE(std::isnan(means.at("some.all_skipped")));
  EXPECT_TRUE(std::isnan(means.at("some.diverged")));
}

TEST(Run, TheSeedsAreSeparateStreams) {
  TinyRun tiny;
  const auto first = [&](int init, int data) {
    tiny.line["train"]["seeds"] = {{"init", init}, {"data", data}};
    tiny.line["data_id"] = std::to_string(data);
    return run(tiny).first[0];
  };
  const double base = first(3, 5);
  EXPECT_NE(first(4, 5), base);
  EXPECT_NE(first(3, 6), base);
  EXPECT_EQ(first(3, 5), base);
}

TEST(Validate, AnObjectiveThatCannotCountIsRefused) {
  TinyRun tiny;
  tiny.line["train"]["objectives"][0]["weight"] = 0.0;
  const auto findings = run::validate(registry(), tiny.planned());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0]["path"], "objective.mle");
  EXPECT_EQ(findings[0]["message"], "every objective has weight 0, so nothing is trained; set a weight other than 0");
  tiny.line["train"]["train"]["steps"] = 0;
  EXPECT_EQ(run::validate(registry(), tiny.planned()), json::array());
}

TEST(Validate, ReportsErrorsBeforeARun) {
  TinyRun tiny;
  EXPECT_EQ(run::validate(registry(), tiny.planned()), json::array());
  tiny.mesh(3, 1);
  const auto findings = run::validate(registry(), tiny.planned());
  ASSERT_FALSE(findings.empty());
  EXPECT_NE(findings[0]["message"].get<std::string>().find("3"), std::string::npos);
  tiny.mesh(1, 1);
  tiny.line["train"]["scheduler"] = {{"use", "cosine"}, {"warmup", "20 steps"}};  // more than 10 steps
  EXPECT_NE(run::validate(registry(), tiny.planned()).dump().find("must be shorter than length"), std::string::npos);
  const auto of_length = [&](const char* length, double floor) {
    tiny.line["train"]["scheduler"] = {{"use", "linear"}, {"length", length}, {"floor", floor}};
    return run::validate(registry(), tiny.planned()).dump();
  };
  EXPECT_NE(of_length("7 steps", 0).find("the last 3 of 10 updates have a learning rate of 0"), std::string::npos);
  for (const auto& [length, floor] : {std::pair{"9 steps", 0.0}, {"100%", 0.0}, {"5 steps", 0.1}})
    EXPECT_EQ(of_length(length, floor), "[]") << length;
  tiny.line["train"]["scheduler"] = {{"use", "constant"}};
  tiny.model()["heads"] = 5;
  EXPECT_NE(run::validate(registry(), tiny.planned()).dump().find("width 16 is not divisible by 5 heads"),
            std::string::npos);
}

// Any exception of a component before a run is reported at the component, wherever it is in the configuration.
TEST(Validate, ErrorsOfAComponentAreLocated) {
  const auto place = [](const std::function<void(TinyRun&)>& change) {
    TinyRun tiny;
    change(tiny);
    const auto findings = run::validate(registry(), tiny.planned());
    return findings.empty() ? std::string("none") : findings[0]["path"].get<std::string>();
  };
  EXPECT_EQ(place([](TinyRun& tiny) {  // fit
              tiny.model()["heads"] = 2;
              tiny.model()["positional"] = {{"use", "alibi"}, {"parts", "heads"}};
            }),
            "model.positional");
  EXPECT_EQ(place([](TinyRun& tiny) {  // fit, of a grandchild
              tiny.model()["heads"] = 2;
              const json heads = {{"use", "alibi"}, {"parts", "heads"}};
              tiny.model()["positional"] = {{"use", "combine"}, {"schemes", {"none", heads}}};
            }),
            "model.positional.schemes.1");
  EXPECT_EQ(place([](TinyRun& tiny) { tiny.model()["heads"] = 5; }), "model");
  EXPECT_EQ(place([](TinyRun& tiny) {  // validate
              tiny.line["evaluate"] = {{{"id", "e"},
                                        {"label", "long"},
                                        {"every", 0},
                                        {"split", "validation"},
                                        {"config", {{"use", "lm"}, {"lengths", {8}}, {"strides", {9}}}}}};
            }),
            "evaluate.long");
}

TEST(Validate, NamesTheMetricsThatEvaluationsWillGive) {
  TinyRun tiny;
  tiny.line["evaluate"] = {{{"id", "e"},
                            {"label", "long"},
                            {"every", 0},
                            {"split", "validation"},
                            {"config", {{"use", "lm"}, {"lengths", {8}}, {"strides", {4}}}}}};
  std::optional<run::Built> built;
  EXPECT_EQ(run::validate(registry(), tiny.planned(), &built), json::array());
  EXPECT_EQ(built->metrics.at("long"),
            (std::vector<std::string>{"long.nll@length=8", "long.perplexity@length=8", "long.bits_per_byte@length=8",
                                      "long.tokens@length=8", "long.nll@length=8,stride=4",
                                      "long.perplexity@length=8,stride=4", "long.bits_per_byte@length=8,stride=4",
                                      "long.tokens@length=8,stride=4"}));
}

// The last of 10 updates has index 9; with a length of 11, the decay of one step is after it.
TEST(Validate, NotesAScheduleThatDecaysOnlyAfterTheRun) {
  TinyRun tiny;
  const auto notes_of = [&](const json& scheduler) {
    tiny.line["train"]["scheduler"] = scheduler;
    std::optional<run::Built> built;
    EXPECT_EQ(run::validate(registry(), tiny.planned(), &built), json::array()) << scheduler;
    return built->notes;
  };
  EXPECT_EQ(notes_of({{"use", "wsd"}, {"length", "11 steps"}}),
            std::vector<std::string>{"scheduler: the last of 10 updates has the highest learning rate, and the "
                                     "schedule decays only after it; check the length of its decay"});
  for (const json& falls : {json{{"use", "wsd"}},
                            {{"use", "wsd"}, {"decay", "20%"}},
                            {{"use", "cosine"}, {"length", "200%"}},
                            {{"use", "linear"}},
                            {{"use", "constant"}, {"warmup", "9 steps"}}})
    EXPECT_EQ(notes_of(falls), std::vector<std::string>{}) << falls;
}

// A plan of a model with hundreds of gigabytes of weights needs little memory.
TEST(Validate, AModelLargerThanThisMachine) {
  TinyRun tiny;
  tiny.model().merge_patch({{"layers", 64}, {"width", 16384}, {"heads", 64}});
  EXPECT_EQ(run::validate(registry(), tiny.planned()), json::array());
}

TEST(Metrics, AddUpOverReplicasThatLogDifferentNames) {
  mesh::run_ranks(1, 2, [](Mesh& mesh) {
    run::Metrics metrics;
    metrics.log("shared", mesh.data().rank() + 1.0, 2.0);
    if (mesh.data().rank() == 1) metrics.log("only one", 6.0, 4.0);
    metrics.log("of nothing", 0.0, 0.0);
    metrics.add_part("of parts", mesh.data().rank() + 1.0);
    if (mesh.data().rank() == 0) metrics.add_part("a part of one", -0.5);
    const auto values = metrics.reduced(mesh.data());
    EXPECT_EQ(values, (std::map<std::string, double>{
                          {"a part of one", -0.5}, {"of parts", 3.0}, {"only one", 1.5}, {"shared", 0.75}}));
  });
}

}  // namespace
}  // namespace assay::testing
