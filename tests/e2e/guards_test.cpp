// Errors and notes of runs whose data is too short, missing or not what was planned; short documents are no error.
#include <gmock/gmock.h>

#include <fstream>

#include "e2e/programs.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Guards : public testing::Programs {
 protected:
  // Runs the planned run again with the worker itself, because the controller would plan again.
  int work_again() {
    const auto run = experiment().run(plan()[0]["train_id"]);
    fs::remove(run.train_record());
    fs::remove(run.weights());
    const auto command = "'" + (testing::build_folder() / "bin/assay-worker").string() + "' run --plan '" +
                         experiment().plan().string() + "' --run " + plan()[0]["train_id"].get<std::string>() +
                         " --results '" + experiment().folder().string() + "' 2>'" + (folder_ / "err").string() + "'";
    const int status = std::system(command.c_str());
    err_ = base::read_file(folder_ / "err");
    return WEXITSTATUS(status);
  }
};

TEST_F(Guards, ACorpusShorterThanOneContext) {
  write_experiment();
  write_corpus("one line\nand another\nand a third\n");
  ASSERT_EQ(call("run experiments/tiny.toml data.context=512"), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("fewer than one sequence of length 512"),
                          HasSubstr("use more text or a smaller data.context")));
  EXPECT_FALSE(fs::exists(experiment().folder()));
}

TEST_F(Guards, ASplitWithoutText) {
  write_experiment();
  write_corpus("");
  for (const char* verb : {"plan", "check", "run"}) {
    EXPECT_EQ(call(verb + std::string(" experiments/tiny.toml")), 2);
    EXPECT_THAT(err_, AllOf(HasSubstr("the split 'train' is empty (documents: train 0, validation 0, test 0)"),
                            HasSubstr("the split 'validation' is empty")));
  }
  EXPECT_FALSE(fs::exists(experiment().folder()));
}

// Without training, only the evaluated splits are read.
TEST_F(Guards, NoStepsNeedNoTrainingText) {
  write_experiment();
  folder_.write("corpus/text.txt", "a short text\n");
  folder_.write("corpus/manifest.json", R"({"files": [{"file": "text.txt", "split": "validation"}]})");
  EXPECT_EQ(call("run experiments/tiny.toml data.dataset.path=corpus"), 2);
  EXPECT_THAT(err_, HasSubstr("the split 'train' is empty"));
  EXPECT_EQ(call("run experiments/tiny.toml data.dataset.path=corpus train.steps=0"), 0) << err_;
}

TEST_F(Guards, ASplitThatTheDatasetDoesNotHave) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml data.dataset.validation_fraction=0"), 2);
  EXPECT_THAT(err_, HasSubstr("tiny.toml:25:1: the split 'validation' is empty (documents: train 1, validation 0, test "
                              "1); use another split, or divide the data differently (assay describe text)"));
  EXPECT_FALSE(fs::exists(experiment().folder()));
}

// Two files cannot make three splits: the empty split is refused if it is used. Fractions far from the requested ones
// are noted where the few files allow nothing nearer, and refused where dividing their documents would.
TEST_F(Guards, FilesThatCannotBeDividedAsRequested) {
  write_experiment();
  for (const char* name : {"one", "two"})
    folder_.write("corpus/" + std::string(name) + ".txt", std::string(999, 'x') + "\n");
  EXPECT_EQ(call("plan experiments/tiny.toml data.dataset.path=corpus data.dataset.test_fraction=0.2"), 2);
  EXPECT_THAT(err_, HasSubstr("the split 'validation' is empty (documents: train 1, validation 0, test 1)"));
  EXPECT_EQ(call("plan experiments/tiny.toml data.dataset.path=corpus"), 0);
  EXPECT_THAT(err_, HasSubstr("the split 'validation' has 50% of the bytes, but 10% is requested; with so few "
                              "documents, no division is closer"));
  for (const char* name : {"three", "four"})
    folder_.write("parts/" + std::string(name) + ".txt", std::string(499, 'x') + "\n\n" + std::string(499, 'y') + "\n");
  EXPECT_EQ(call("plan experiments/tiny.toml data.dataset.path=parts data.dataset.document=\"paragraph\""), 2);
  EXPECT_THAT(err_, HasSubstr("the split 'validation' has 50% of the bytes, but 10% is requested; a share must not be "
                              "more than three times or less than a third of the requested one"));
  ASSERT_EQ(call("plan experiments/tiny.toml data.dataset.path=corpus data.dataset.test_fraction=0 "
                 "data.dataset.validation_fraction=0.3"),
            0)
      << err_;
  EXPECT_THAT(out_,
              HasSubstr("data: text: train 1 document, 1,000 bytes, 1,001 tokens per epoch (50% of the bytes, 70% "
                        "requested); validation 1 document, 1,000 bytes (50% of the bytes, 30% requested); test 0 "
                        "documents, 0 bytes (0% of the bytes, 0% requested)\n"));
}

// 6 steps of 4 sequences of 16 tokens are 384 tokens.
TEST_F(Guards, RepeatedReadingOfTheTextIsWarnedOf) {
  write_experiment();
  ASSERT_EQ(call("plan experiments/tiny.toml --json"), 0) << err_;
  EXPECT_THAT(err_, ::testing::Not(HasSubstr("warning")));
  const auto outlook = nlohmann::json::parse(out_)["runs"][0]["outlook"];
  EXPECT_EQ(outlook["epoch_tokens"], 3201);  // 80 of 100 lines of 40 bytes, and an end of text
  EXPECT_DOUBLE_EQ(outlook["epochs"], 384 / 3201.0);
  write_corpus(std::string(39, 'a') + "\n" + std::string(39, 'b') + "\n" + std::string(39, 'c') + "\n");
  ASSERT_EQ(call("plan experiments/tiny.toml data.dataset.validation_fraction=0.3 data.dataset.test_fraction=0.3"), 0)
      << err_;
  EXPECT_THAT(err_, AllOf(HasSubstr("warning: the row reads the training text about 1.56 times in every batch"),
                          HasSubstr("warning: the row reads the training text more than 4 times (9.37 epochs)")));
  EXPECT_THAT(out_, HasSubstr("epochs"));
  EXPECT_THAT(err_, HasSubstr("evaluate.lm: length = 64: no window is so long, for 41 tokens are scored in all"));
}

TEST_F(Guards, HeldOutTextThatIsTrainedOnIsReported) {
  write_experiment();
  std::string text;
  for (int p = 0; p < 100; ++p) text += "paragraph " + std::to_string(p % 50) + "\n\n";
  write_corpus(text);
  const std::string command = "plan experiments/tiny.toml data.dataset.document=\"paragraph\" ";
  ASSERT_EQ(call(command + "data.dataset.splits=\"documents\""), 0) << err_;
  EXPECT_THAT(err_, HasSubstr(" documents of 'validation' ("));
  EXPECT_THAT(err_, HasSubstr("have the same text as a document of 'train', so metrics on them are not held-out"));
  ASSERT_EQ(call(command + "data.dataset.splits=\"texts\""), 0) << err_;
  EXPECT_THAT(err_, ::testing::Not(HasSubstr("held-out")));
}

// Files that are not plain text are refused before any training.
TEST_F(Guards, StructuredFilesAreRefused) {
  write_experiment();
  write_corpus("{\"text\": \"one\"}\n{\"text\": \"two\"}\n");
  EXPECT_EQ(call("check experiments/tiny.toml"), 2);
  EXPECT_THAT(err_, HasSubstr("corpus.txt is JSON lines; extract its text to a .txt file"));
}

// Tests may run as root, which can read any file: the data is a link to a missing file, or its manifest is not valid.
TEST_F(Guards, DataThatCannotBeRead) {
  write_experiment();
  fs::create_symlink(folder_ / "gone.txt", folder_ / "link.txt");
  EXPECT_EQ(call("run experiments/tiny.toml data.dataset.path=link.txt"), 2);
  EXPECT_THAT(err_, HasSubstr("'link.txt' does not exist"));
  const std::pair<const char*, const char*> manifests[] = {
      {"{\"files\": [", "manifest.json is not a valid manifest ({\"files\": [{\"file\", \"split\"}, ..]})"},
      {"{}", "manifest.json is not a valid manifest"},
      {R"({"files": [{"file": "gone.txt", "split": "train"}]})", "cannot read"},
      {R"({"files": [{"file": "part", "split": "train"}]})", "cannot read"},
      {R"({"files": [{"file": "a.txt", "split": "training"}]})", "it must be train, validation or test"}};
  fs::create_directories(folder_ / "corpus/part");
  folder_.write("corpus/a.txt", "some text\n");
  for (const auto& [manifest, message] : manifests) {
    folder_.write("corpus/manifest.json", manifest);
    EXPECT_EQ(call("run experiments/tiny.toml data.dataset.path=corpus"), 2) << manifest;
    EXPECT_THAT(err_, HasSubstr(message)) << manifest;
  }
  EXPECT_FALSE(fs::exists(experiment().folder()));
}

// Steps with a non-finite loss change no weight, each one is logged, and the run ends with its record.
TEST_F(Guards, NonFiniteStepsCanBeSkipped) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml 'objective=[{use=\"nan_objective\",calls=2}]' train.non_finite=skip "
                 "log.every=1"),
            0)
      << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  std::vector<int> skipped;
  for (const auto& event : read_events(run)) {
    if (event["type"] != "skip") continue;
    skipped.push_back(event["step"]);
    EXPECT_THAT(event["text"].get<std::string>(),
                AllOf(HasSubstr("loss nan"), HasSubstr("'objective.nan_objective (term 'nll')'")));
  }
  EXPECT_THAT(skipped, ::testing::ElementsAre(3, 4, 5, 6));
  const auto record = read_json(run.train_record());
  EXPECT_EQ(record["skipped_steps"], 4);
  EXPECT_EQ(record["metrics"][0]["name"], "loss");
  EXPECT_EQ(record["metrics"][0]["value"], "NaN");  // the last step has no other value
  for (const auto& event : read_events(run))
    if (event["type"] == "step") {
      EXPECT_EQ(event.contains("loss"), event["step"] < 3) << event;
    }
  EXPECT_THAT(err_, ::testing::ContainsRegex("done +tiny seed=1  loss [0-9.]+  4 of 6 steps skipped  "));
  ASSERT_EQ(call("status tiny"), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("tiny: 1 done (1 with skipped steps), "),
                          HasSubstr("  done  tiny seed=1: 4 of 6 steps skipped\n")));
  ASSERT_EQ(call("compare tiny --metric train.loss"), 0);
  EXPECT_THAT(out_, AllOf(HasSubstr("1 diverged"), HasSubstr("1 (1 with skipped steps)"), HasSubstr("(4 of 6)")));
  const auto evaluated = read_json(run.eval_record(plan()[0]["evaluate"][0]["id"]));
  for (const auto& metric : evaluated["metrics"]) EXPECT_TRUE(metric["value"].is_number()) << metric;
}

// One step of the last tenth is not finite: the mean is over the others, and the run does not count as diverged.
TEST_F(Guards, ASkippedStepIsNotPartOfTheMean) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml 'objective=[{use=\"nan_objective\",calls=18,then=2}]' train.steps=20 "
                 "train.non_finite=skip log.every=1"),
            0)
      << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  std::vector<double> losses;
  for (const auto& event : read_events(run))
    if (event["type"] == "step" && event.contains("loss") && event["step"] > 18) losses.push_back(event["loss"]);
  ASSERT_EQ(losses.size(), 1u);  // the calls for step 19 and for the search for the cause returned NaN
  const auto record = read_json(run.train_record());
  EXPECT_EQ(record["skipped_steps"], 1);
  EXPECT_EQ(record["metrics"][0]["value"], losses[0]);
  ASSERT_EQ(call("compare tiny --metric train.loss"), 0);
  EXPECT_THAT(out_, ::testing::Not(HasSubstr("diverged")));
}

// The error names the file that could not be written, and the next attempt finishes the run when there is space.
TEST_F(Guards, AFullDiskFailsWithTheFilesName) {
  write_experiment();
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "line " + std::to_string(i) + " of a text that is longer than the limit\n";
  write_corpus(text);
  // dash counts in blocks of 512 bytes and bash in blocks of 1,024: 64 blocks do not hold the tokens of 200 KB of text
  // either way.
  ASSERT_EQ(call("run experiments/tiny.toml", "results", "ulimit -f 64; "), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("FAILED"), HasSubstr(".tokens: cannot write: File too large")));
  for (const auto& [name, content] : files_below(folder_ / "results"))
    EXPECT_EQ(name.find(".tokens"), std::string::npos) << name;
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
}

TEST_F(Guards, EventsThatCannotBeWrittenFailTheRun) {
  write_experiment("[log]\nevery = 1\n");
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  fs::remove(run.train_record());
  fs::remove(run.events());
  fs::create_directories(run.events());
  ASSERT_EQ(call("run experiments/tiny.toml"), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("FAILED"), HasSubstr("events.jsonl: cannot be opened for appending")));
  EXPECT_FALSE(fs::exists(run.train_record()));
  fs::remove(run.events());
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  EXPECT_TRUE(fs::exists(run.train_record()));
}

// The disk has no space for one more event: the reason is in the state.
TEST_F(Guards, TheStateHasTheReasonWhenEventsCannotBeWritten) {
  write_experiment("[log]\nevery = 1\n");
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  fs::remove(run.train_record());
  std::ofstream(run.events(), std::ios::app) << std::string(1 << 17, ' ') << "\n";
  ASSERT_EQ(call("run experiments/tiny.toml", "results", "ulimit -f 64; "), 1);
  const auto state = read_json(run.state());
  EXPECT_EQ(state["class"], "user");
  EXPECT_EQ(state["attempt"], 2);
  EXPECT_THAT(state["reason"].get<std::string>(), HasSubstr("events.jsonl: cannot append an event"));
}

// Evaluators are not part of a run's identity, so they cannot add to the vocabulary that is trained.
TEST_F(Guards, AnEvaluatorCannotAddToTheVocabulary) {
  write_experiment("[[evaluate]]\nuse = \"declares_token\"\n");
  EXPECT_EQ(call("run experiments/tiny.toml"), 2);
  EXPECT_THAT(err_, HasSubstr("hook 'special_tokens': the component declares the special token '<|extra|>', which no "
                              "training component declares"));
  write_experiment("[[evaluate]]\nuse = \"declares_token\"\ntoken = \"<|endoftext|>\"\n");
  EXPECT_EQ(call("run experiments/tiny.toml"), 0) << err_;
}

// An error of a component may be caused by any override of its values: it is located at the component's table and names
// all of them.
TEST_F(Guards, AnErrorOfAComponentNamesEveryOverrideOfIt) {
  write_experiment();
  EXPECT_EQ(call("plan experiments/tiny.toml model.width=18 model.heads=4 model.layers=1 train.batch=2"), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("experiments/tiny.toml:8:"),
                          HasSubstr("(with --set model.heads=4 --set model.layers=1 --set model.width=18)")));
  EXPECT_EQ(call("plan experiments/tiny.toml data.context=16 model.positional.use=learned "
                 "model.positional.positions=8"),
            2);
  EXPECT_THAT(err_, HasSubstr("--set data.context=16: the model supports at most 8 positions"));
}

// Errors of a component are located at its table, in the file that contains the table, even if the experiment only
// extends that file.
TEST_F(Guards, ErrorsOfAComponentBeforeARunAreLocatedAtItsTable) {
  const auto error_with = [&](const std::string& scheme, const std::string& more) {
    folder_.write("experiments/scheme.toml", "# a scheme\n[positional]\n" + scheme);
    write_experiment(more);
    auto text = base::read_file(folder_ / "experiments/tiny.toml");
    text.replace(text.find("[positional]\nuse = \"none\"\n"), 26, "");
    folder_.write("experiments/tiny.toml", "extends = [\"scheme.toml\"]\n" + text);
    EXPECT_EQ(call("plan experiments/tiny.toml"), 2);
    return err_;
  };
  using ::testing::StartsWith;
  EXPECT_THAT(
      error_with("use = \"alibi\"\nparts = \"heads\"\n", ""),
      StartsWith("experiments/scheme.toml:2:2: plugin 'alibi', component 'alibi', hook 'fit': parts = \"heads\""));
  EXPECT_THAT(error_with("use = \"throws_in_create\"\n", ""),
              StartsWith("experiments/scheme.toml:2:2: plugin 'throws_in_create', component 'throws_in_create', hook "
                         "'create': the constructor did not like the weather"));
  EXPECT_THAT(error_with("use = \"none\"\n", "[[evaluate]]\nuse = \"declares_token\"\n"),
              StartsWith("experiments/tiny.toml:27:1: plugin 'declares_token', component 'declares_token', hook "
                         "'special_tokens': the component declares the special token"));
}

// Documents are packed one after another, so the context length may exceed every document.
TEST_F(Guards, AContextLongerThanEveryDocument) {
  write_experiment();
  std::string text;
  for (int i = 0; i < 200; ++i) text += "paragraph " + std::to_string(i) + "\n\n";
  write_corpus(text);
  ASSERT_EQ(call("run experiments/tiny.toml data.dataset.document=\"paragraph\" data.context=128"), 0) << err_;
}

TEST_F(Guards, DataThatChangedSincePlanning) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  std::ofstream(folder_ / "experiments/corpus.txt", std::ios::app) << "one more line\n";
  EXPECT_EQ(work_again(), 1);
  EXPECT_THAT(err_, AllOf(HasSubstr("corpus.txt: it has changed since the plan was made"), HasSubstr("plan again")));
  fs::remove(folder_ / "experiments/corpus.txt");
  EXPECT_EQ(work_again(), 1);
  EXPECT_THAT(err_, HasSubstr("corpus.txt: it was removed after the plan was made"));
}

}  // namespace
}  // namespace assay
