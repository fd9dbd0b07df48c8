#include "plan/plan.h"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using PlanLines = PlanTest;

TEST_F(PlanLines, TokensGiveWholeSteps) {
  const auto steps = [&](const std::string& tokens) {
    return plan(kSmall, {"train.tokens=" + tokens}).lines.at(0).steps();
  };
  EXPECT_EQ(steps("1280"), 10);  // a step is 8 * 16 = 128 tokens
  EXPECT_EQ(steps("1407"), 10);
  EXPECT_EQ(steps("1408"), 11);
  EXPECT_EQ(steps("128"), 1);
  EXPECT_ANY_THROW(steps("127"));
}

TEST_F(PlanLines, EveryIsResolvedToSteps) {
  const auto every = [&](const std::string& duration, const std::string& steps) {
    return plan(kSmall + "[[evaluate]]\nuse = 'lm'\nevery = '" + duration + "'\n", {"train.steps=" + steps})
        .lines.at(0)
        .evaluate.at(0)
        .every;
  };
  EXPECT_EQ(every("20%", "977"), 195);
  EXPECT_EQ(every("7%", "100"), 7);
  EXPECT_EQ(every("0.1%", "100"), 1);
  EXPECT_EQ(every("30 steps", "100"), 30);
  EXPECT_EQ(every("1e3 tokens", "100"), 7);  // 1000 / 128 = 7.8
  EXPECT_EQ(every("0%", "100"), 0);
  EXPECT_EQ(plan(kSmall + "[[evaluate]]\nuse = 'lm'\n").lines.at(0).evaluate[0].every, 0);
}

// A step is 128 tokens. The checkpoint interval has no note: its default is 5%, which is less than a step in every
// short run.
TEST_F(PlanLines, ADurationOfLessThanAStepIsAStepAndIsNoted) {
  const auto notes = [&](const std::string& duration, const std::string& steps) {
    const auto made = plan(kSmall + "[[evaluate]]\nuse = 'lm'\nevery = '" + duration + "'\n",
                           {"train.steps=" + steps, "scheduler.warmup=" + duration});
    EXPECT_EQ(made.lines.at(0).evaluate[0].every, 1) << duration;
    return made.notes;
  };
  EXPECT_EQ(notes("5%", "19"), (std::vector<std::string>{
                                   "scheduler 'constant': warmup: 5% of 19 steps is 0.95 steps, rounded up to 1 step",
                                   "evaluate 'lm': every: 5% of 19 steps is 0.95 steps, rounded up to 1 step"}));
  EXPECT_EQ(notes("96 tokens", "19")[1],
            "evaluate 'lm': every: 96 tokens at 128 tokens per step is 0.75 steps, rounded up to 1 step");
  EXPECT_TRUE(notes("5%", "20").empty());
  EXPECT_TRUE(notes("5%", "39").empty());  // 1.95, rounded down to 1
  EXPECT_TRUE(plan(kSmall, {"train.steps=19", "scheduler.warmup=0%"}).notes.empty());
}

// Of 19 steps 1% is 0.19 and 3% is 0.57: both are step 1.
TEST_F(PlanLines, ARungOfLessThanAStepIsAStepAndIsNoted) {
  const auto text = [](const std::string& rungs) {
    return kSmall + "[prune]\nmetric = 'loss'\nrungs = " + rungs + "\n";
  };
  const std::vector<std::string> steps{"train.steps=19"};
  EXPECT_EQ(plan(text("['2%', '50%']"), steps).notes,
            (std::vector<std::string>{"[prune] rungs: 2% of 19 steps is 0.38 steps, rounded up to 1 step"}));
  EXPECT_THAT(errors(text("['1%', '3%']"), steps),
              ::testing::HasSubstr("the rung 3% (step 1) must be after the previous rung 1% (step 1)"));
}

TEST_F(PlanLines, DurationsHaveOneSpelling) {
  const auto warmup = [&](const std::string& text) {
    return plan(kSmall, {"scheduler.warmup=" + text}).lines.at(0).train.scheduler.at("warmup");
  };
  EXPECT_EQ(warmup("2e6 tokens"), "2000000 tokens");
  EXPECT_EQ(warmup("100 steps"), "100 steps");
  EXPECT_EQ(warmup("1 step"), "1 steps");
  EXPECT_EQ(warmup("5.0%"), "5%");
  EXPECT_EQ(warmup("2.5 %"), "2.5%");
}

// Of two files with the same component, the first on the path is used; the plan has a note, and so has the line of the
// run.
TEST_F(PlanLines, TheFirstComponentOfANameShadowsTheOthers) {
  auto descriptors = json::parse(base::read_file(source_folder() / "tests/fixtures/descriptors.json"));
  auto& plugins = descriptors["plugins"];
  for (size_t i = 0, count = plugins.size(); i < count; ++i)
    if (plugins[i].value("name", "") == "mle") {
      auto other = plugins[i];
      other["file"] = "/later/mine.so";
      other["name"] = "mine";
      other["sha256"] = "12";
      plugins.push_back(other);
    }
  const Environment used("ASSAY_DESCRIPTORS", write("descriptors.json", descriptors.dump()));
  const auto made = plan(kSmall);
  const auto entry = made.lines.at(0).plugins.at("objective/mle");
  EXPECT_EQ(entry.plugin, "mle");
  ASSERT_EQ(entry.shadows.size(), 1U);
  EXPECT_EQ(entry.shadows[0].plugin, "mine");
  EXPECT_EQ(plan::warnings_of(made),
            std::vector<std::string>{"warning: objective/mle is loaded from " + entry.file +
                                     "; /later/mine.so also provides it, but is later on the plugin path"});
  EXPECT_TRUE(made.lines.at(0).plugins.at("model/gpt").shadows.empty());
}

TEST_F(PlanLines, ResourcesHaveDefaults) {
  EXPECT_EQ(
      plan(kSmall).lines.at(0).resources.to_json(),
      json::parse(
          R"({"mesh":{"tensor":1,"data":1,"sequence_parallel":false,"backend":"self"},"threads":1,"micro_batch":8,"device":"auto"})"));
  EXPECT_EQ(
      plan(kSmall + "[resources]\nmesh = { tensor = 2, data = 2, sequence_parallel = true }\nthreads = 3\n")
          .lines.at(0)
          .resources.to_json(),
      json::parse(
          R"({"mesh":{"tensor":2,"data":2,"sequence_parallel":true,"backend":"threads"},"threads":3,"micro_batch":4,"device":"auto"})"));
  // one rank needs no locking; a partial last micro-batch is fine (8 = 3 + 3 + 2)
  EXPECT_EQ(
      plan(kSmall + "[resources]\nmesh = { backend = 'threads' }\nmicro_batch = 3\n").lines.at(0).resources.to_json(),
      json::parse(
          R"({"mesh":{"tensor":1,"data":1,"sequence_parallel":false,"backend":"self"},"threads":1,"micro_batch":3,"device":"auto"})"));
}

TEST_F(PlanLines, EveryComponentIsNamedWithItsPlugin) {
  const auto plugins = plan(kSmall + "[[tracker]]\nuse = 'jsonl'\n").lines.at(0).plugins;
  std::string names;
  for (const auto& [name, ignored] : plugins) names += name + " ";
  EXPECT_EQ(names,
            "dataset/text model/gpt objective/mle optimizer/adamw positional/alibi scheduler/constant tokenizer/bytes "
            "tracker/jsonl ");
  EXPECT_EQ(plugins.at("positional/alibi").build_id, "build-alibi");
  EXPECT_EQ(plugins.at("positional/alibi").file, "/plugins/alibi.so");
}

TEST_F(PlanLines, TheExampleOfTheManualWithWhatExistsNow) {
  const auto file = (source_folder() / "tests/cli/good/quickstart.toml").string();
  const auto made = plan::make_plan({file, {}, ""});
  EXPECT_EQ(made.experiment, "quickstart");
  EXPECT_EQ(made.combinations, 2u);
  ASSERT_EQ(made.lines.size(), 6u);
  const auto& line = made.lines[3];
  EXPECT_EQ(line.label, "positional=alibi");
  EXPECT_EQ(line.train.train.steps, 976);      // 2,000,000 / (32 * 64) = 976.56
  EXPECT_EQ(line.train.model.at("heads"), 4);  // 96 / 24
  EXPECT_EQ(line.evaluate[0].every, 195);      // a fifth of 976
  EXPECT_EQ(made.compare.metrics.at(1).name, "train.tokens_per_second");
  EXPECT_EQ(made.compare.metrics.at(0).position.line, 38);
  EXPECT_TRUE(sweep::matches(*made.compare.baseline, made.lines[0]));
  EXPECT_FALSE(sweep::matches(*made.compare.baseline, made.lines[3]));
}

TEST_F(PlanLines, NameAndResultsFollowTheFile) {
  const auto file = write("experiments/alibi_paper/long_context.toml", kSmall);
  auto made = plan::make_plan({file, {}, ""});
  EXPECT_EQ(made.experiment, "alibi-paper-long-context");
  EXPECT_EQ(made.results_folder, folder_ / "results/alibi-paper-long-context");
  const Environment results("ASSAY_RESULTS", "/scratch/r");
  made = plan::make_plan({file, {"experiment.name=other"}, ""});
  EXPECT_EQ(made.results_folder, "/scratch/r/other");
  EXPECT_EQ(made.lines.at(0).experiment, "other");
}

// Equal runs write equal records, from whatever folder and under whatever file name they were run.
TEST_F(PlanLines, TheFolderOfACommandIsInNoLine) {
  write("experiments/paper/long.toml", kSmall);
  const auto before = std::filesystem::current_path();
  const auto from = [&](const std::filesystem::path& folder, const std::string& file) {
    std::filesystem::current_path(folder);
    auto made = plan::make_plan({file, {}, ""});
    std::filesystem::current_path(before);
    return made;
  };
  const auto text = [](const plan::Plan& made) {
    std::string all;
    for (const auto& line : made.lines) all += line.text() + "\n";
    return all;
  };
  const auto one = from(folder_, "experiments/paper/long.toml");
  EXPECT_EQ(one.lines.at(0).source.file, "experiments/paper/long.toml");
  EXPECT_EQ(text(one), text(from(folder_ / "experiments", "paper/../paper/long.toml")));
  EXPECT_EQ(text(one), text(from("/", (folder_ / "experiments/paper/long.toml").string())));
  EXPECT_EQ(plan::make_plan({write("elsewhere/x.toml", kSmall), {}, ""}).lines.at(0).source.file, "x.toml");
}

// A path on the command line is relative to the folder of the command, and the plan can be made again from there.
TEST_F(PlanLines, PathsOnTheCommandLineAreRelativeToItsFolder) {
  write("here/novel.txt", "text");
  const auto file = write("experiments/test.toml", kSmall);
  plan::PlanRequest request{file, {"data.dataset.path=novel.txt"}, ""};
  request.folder = (folder_ / "here").string();
  const auto made = plan::make_plan(request);
  EXPECT_EQ(made.lines.at(0).train.data.dataset.at("path").at("path"), (folder_ / "here/novel.txt").string());
  EXPECT_EQ(made.files, (std::vector<std::string>{(folder_ / "here/novel.txt").string(), file}));
}

TEST_F(PlanLines, AWrittenPlanHasOneLinePerRunAndTheTextWithItsParents) {
  write("experiments/base.toml", "[train]\nsteps = 3\nbatch = 8\n");
  const auto made = plan::make_plan(
      {write("experiments/x.toml", "extends = ['base.toml']\n" + kSmall), {"experiment.seeds=[1, 2]"}, ""});
  plan::write_plan(made, folder_ / "out");
  std::ifstream stream(folder_ / "out/plan.jsonl");
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1], made.lines[1].text());
  EXPECT_EQ(base::read_file(folder_ / "out/experiment.toml"),
            "extends = ['base.toml']\n" + kSmall + "\n# --- extended: " + (folder_ / "experiments/base.toml").string() +
                "\n# [train]\n# steps = 3\n# batch = 8\n# \n");
}

TEST_F(PlanLines, PathsAreRelativeToTheFileThatNamesThem) {
  write("experiments/parts/novel.txt", "text");
  write("experiments/parts/base.toml",
        "[data]\ndataset = { use = 'text', path = 'novel.txt' }\ntokenizer = 'bytes'\ncontext = 16\n");
  auto text = kSmall;
  text.erase(0, text.find("[model]"));
  const auto path = plan("extends = ['parts/base.toml']\n" + text).lines.at(0).train.data.dataset.at("path");
  EXPECT_EQ(path.at("path"), (folder_ / "experiments/parts/novel.txt").string());
  EXPECT_EQ(path.at("name"), "novel.txt");
  EXPECT_EQ(path.at("sha256"),
            "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1");  // sha256sum of "text"
}

TEST_F(PlanLines, CorporaAreFoundInTheDataFolderAboveTheExperiment) {
  const Environment none("ASSAY_DATA", "");
  write(".data/tiny/a.txt", "text");
  EXPECT_EQ(plan(kSmall).lines.at(0).train.data.dataset.at("path").at("path"), (folder_ / ".data/tiny").string());
  auto of_a_file = kSmall;
  of_a_file.replace(of_a_file.find("\"tiny\""), 6, "'tiny/a.txt'");
  EXPECT_EQ(plan(of_a_file).lines.at(0).train.data.dataset.at("path").at("path"),
            (folder_ / ".data/tiny/a.txt").string());
}

TEST_F(PlanLines, ARefusedPluginIsReportedOnlyWhenItIsNeeded) {
  const Environment refused("ASSAY_DESCRIPTORS",
                            (source_folder() / "tests/fixtures/descriptors_refused.json").string());
  EXPECT_EQ(errors(kSmall),
            "test.toml:11:7: unknown positional 'alibi' (available: none, sinusoidal); plugin file /plugins/alibi.so "
            "cannot be loaded and may provide it: "
            "built against LibTorch 2.10.0, this is 2.11.0");
  EXPECT_EQ(plan(kSmall, {"positional=none"}).lines.size(), 1u);
}

TEST_F(PlanLines, NoneIsAnAbsentChildWhereNoComponentHasThatName) {
  auto text = base::read_file(source_folder() / "tests/fixtures/descriptors.json");
  for (size_t at; (at = text.find("\"name\": \"none\"")) != std::string::npos;)
    text.replace(at, 14, "\"name\": \"nope\"");
  const Environment without("ASSAY_DESCRIPTORS", write("descriptors.json", text));
  EXPECT_TRUE(plan(kSmall, {"positional=none"}).lines.at(0).train.model.at("positional").is_null());
}

TEST_F(PlanLines, SelectorsSeeAxesAndResolvedValues) {
  const auto made = plan(kSmall + "[[sweep]]\n[sweep.grid]\noptimizer.lr = [1e-3, 3e-3, 1e-2]\n");
  const auto count = [&](const std::string& selector) {
    document::Diagnostics diagnostics;
    const auto node = parsed("s = " + selector);
    const auto read = sweep::read_selector(*node.as<document::Table>()->find("s"), diagnostics);
    diagnostics.throw_if_any();
    return std::count_if(made.lines.begin(), made.lines.end(),
                         [&](const record::PlanLine& line) { return sweep::matches(read, line); });
  };
  EXPECT_EQ(count("{ optimizer.lr = 1e-3 }"), 1);
  EXPECT_EQ(count("{ 'optimizer.lr' = [1e-3, 1e-2] }"), 2);
  EXPECT_EQ(count("{ optimizer.lr = { not = 1e-3 } }"), 2);
  EXPECT_EQ(count("{ optimizer.lr = { min = 2e-3 } }"), 2);
  EXPECT_EQ(count("{ optimizer.lr = { min = 2e-3, max = 5e-3 } }"), 1);
  EXPECT_EQ(count("{ positional = 'alibi', model.layers = 2, objective.mle.weight = 1 }"), 3);
  EXPECT_EQ(count("{ positional = 'none' }"), 0);
}

TEST_F(PlanLines, CompareSettingsNeedNoPlugins) {
  const Environment none("ASSAY_DESCRIPTORS", "/nowhere.json");
  const auto settings = study::read_compare_settings(
      write("c.toml", "[compare]\nbaseline = { positional = 'none' }\nmetrics = ['lm.x', 'train.loss']\n"));
  ASSERT_TRUE(settings.baseline);
  EXPECT_EQ(settings.baseline->terms.at(0).name, "positional");
  EXPECT_EQ(settings.metrics.at(1).name, "train.loss");
  EXPECT_EQ(settings.metrics.at(1).position.column, 20);
}

TEST_F(PlanLines, ClaimsMustSelectSomething) {
  EXPECT_EQ(
      errors(kSmall + "[[claim]]\nsays = 'x'\nleft = { positional = 'alibi', metric = 'train.loss' }\nright = { "
                      "positional = 'rotary', metric = 'train.loss' }\nholds = 'left < right'\n"),
      "test.toml:25:11: this side of the claim matches no run: no run has positional = rotary; its values are alibi");
}

TEST_F(PlanLines, AThousandRunsArePlannedWithoutResolvingEachSeed) {
  const auto made = plan(kSmall +
                         "[experiment]\nseeds = '1..10'\n[[sweep]]\n[sweep.grid]\noptimizer.lr = { log = [1e-4, 1e-2], "
                         "n = 10 }\nmodel.dropout = { linear = [0, 0.5], n = 10 }\n");
  EXPECT_EQ(made.lines.size(), 1000u);
  std::set<std::string> ids;
  for (const auto& line : made.lines) ids.insert(line.train_id);
  EXPECT_EQ(ids.size(), 1000u);
}

}  // namespace
}  // namespace assay::testing
