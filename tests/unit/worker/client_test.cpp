// The real assay program with a worker of four lines: its requests, the cache, and how findings are used.
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>

#include "base/files.h"
#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

namespace fs = std::filesystem;

class WorkerTest : public PlanTest {
 protected:
  WorkerTest() {
    const fs::path bin = std::getenv("ASSAY_BIN_DIR") ? std::getenv("ASSAY_BIN_DIR") : ".";
    fs::create_directories(folder_ / "bin");
    fs::create_directories(folder_ / "lib");
    fs::copy_file(bin / "assay", folder_ / "bin/assay");
    fs::copy_file(bin.parent_path() / "lib/libassay_lab.so", folder_ / "lib/libassay_lab.so");
    ::unsetenv("ASSAY_DESCRIPTORS");
  }

  // A worker that records its requests, describes the fixture, and responds with `findings` to validate.
  void worker(const std::string& findings) const {
    const auto descriptors = (source_folder() / "tests/fixtures/descriptors.json").string();
    const auto script =
        write("bin/assay-worker", "#!/bin/sh\necho \"$@\" >> '" + (folder_ / "asked").string() +
                                      "'\nif [ \"$1\" = describe ]; then cat '" + descriptors + "'; else cp \"$2\" '" +
                                      (folder_ / "validated").string() + "'; " + findings + "; fi\n");
    fs::permissions(script, fs::perms::owner_all);
  }

  struct Outcome {
    int code;
    std::string text;  // standard output and error
  };
  Outcome assay(const std::string& arguments) const {
    std::FILE* pipe = ::popen(((folder_ / "bin/assay").string() + " " + arguments + " 2>&1").c_str(), "r");
    Outcome outcome{-1, ""};
    char block[4096];
    for (size_t count; (count = std::fread(block, 1, sizeof block, pipe)) > 0;) outcome.text.append(block, count);
    outcome.code = WEXITSTATUS(::pclose(pipe));
    return outcome;
  }
  std::string asked() const { return base::read_file(folder_ / "asked"); }
};

TEST_F(WorkerTest, DescriptorsAreCachedUntilAFileChanges) {
  worker("echo '[]'");
  const auto file = write("experiments/x.toml", kSmall);
  EXPECT_EQ(assay("plan " + file).code, 0);
  EXPECT_EQ(assay("plan " + file).code, 0);
  const auto count = [&] {
    const auto text = asked();
    size_t times = 0;
    for (size_t at = 0; (at = text.find("describe", at)) != std::string::npos; ++at) ++times;
    return times;
  };
  EXPECT_EQ(count(), 1u);
  write("lib/assay/plugins/new.so", "a plugin");
  EXPECT_EQ(assay("plan " + file).code, 0);
  EXPECT_EQ(count(), 2u);
  EXPECT_NE(asked().find("describe --plugin-path " + (folder_ / "lib/assay/plugins").string()), std::string::npos);
}

TEST_F(WorkerTest, PluginsThatCannotBeReadDoNotStopAPlan) {
  worker("echo '[]'");
  const auto file = write("experiments/x.toml", kSmall);
  const auto plugins = folder_ / "lib/assay/plugins";
  fs::create_directories(plugins);
  fs::create_symlink("loop.so", plugins / "loop.so");
  fs::create_symlink("/proc/self/mem", plugins / "memory.so");
  write("lib/assay/plugins/sparse.so", "");
  fs::resize_file(plugins / "sparse.so", std::uintmax_t{1} << 40);
  const auto outcome = assay("plan " + file);
  EXPECT_EQ(outcome.code, 0) << outcome.text;
}

TEST_F(WorkerTest, FindingsAreLocatedAtTheirKey) {
  const auto file =
      write("experiments/x.toml",
            kSmall + "[experiment]\nseeds = '1..3'\n[[sweep]]\n[sweep.grid]\npositional = ['none', 'alibi']\n");
  worker(
      "group=$(tail -n 1 \"$2\" | sed 's/.*\"group\":\"\\([0-9a-f]*\\)\".*/\\1/'); "
      "echo "
      "\"[{\\\"group\\\":\\\"$group\\\",\\\"path\\\":\\\"model.positional.max_exponent\\\",\\\"message\\\":\\\"heads "
      "must be even\\\"}]\"");
  const auto outcome = assay("plan " + file);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.text, file + ":26:1: heads must be even\n");  // the axis that chose the scheme
  const auto lines = base::read_file(folder_ / "validated");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2);  // one per group
}

// An evaluator declares its metrics before a run: all references to other metrics are refused.
TEST_F(WorkerTest, UndeclaredMetricsAreRefused) {
  worker("echo '[{\"metrics\": {\"lm\": [\"lm.nll@length=64\", \"lm.bits_per_byte@length=64\"]}}]'");
  const auto text = [](const std::string& end) {
    return kSmall +
           "[[evaluate]]\nuse = 'lm'\nlengths = [64]\nevery = '1 steps'\n[[evaluate]]\nuse = 'lm'\nlabel = "
           "'other'\n[[sweep]]\n[sweep.grid]\npositional = ['none', 'alibi']\n" +
           end;
  };
  const std::string prune = "[prune]\nrungs = ['2 steps']\nmetric = ";
  const auto good = assay("plan " + write("experiments/good.toml",
                                          text(prune + "'lm.nll@length=64'\n[compare]\nmetrics = ['lm.nll', "
                                                       "'lm.nll@length=64,step=3', 'other.any', 'train.loss']\n")));
  EXPECT_EQ(good.code, 0) << good.text;
  const auto file =
      write("experiments/x.toml", text(prune + "'lm.bits_per_bite@length=64'\n"
                                               "[compare]\nmetrics = ['lm.nl', 'lm.nll@length=65,step=3']\n"
                                               "[[claim]]\nsays = 'x'\nmetric = 'lm.nll'\n"
                                               "left = { positional = 'alibi' }\nholds = 'left < 1'\n"));
  const auto wrong = assay("plan " + file);
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.text,
            file +
                ":34:10: metric 'lm.bits_per_bite@length=64' is not reported by 'lm'; did you mean "
                "'lm.bits_per_byte@length=64'?\n" +
                file +
                ":36:12: metric 'lm.nl' is not reported by 'lm'; its metrics are lm.nll@length=64, "
                "lm.bits_per_byte@length=64\n" +
                file +
                ":36:21: metric 'lm.nll@length=65,step=3' is not reported by 'lm'; did you mean 'lm.nll@length=64'?\n" +
                file +
                ":39:10: metric 'lm.nll' is not reported by 'lm'; its metrics are lm.nll@length=64, "
                "lm.bits_per_byte@length=64\n");
  // A table may miss a metric that the command line removes from an evaluation, but [prune] may not.
  const std::string override_ = " evaluate.lm.lengths=[64]";
  const auto table = write("experiments/table.toml", text("[compare]\nmetrics = ['lm.nll@length=512']\n"));
  EXPECT_EQ(assay("plan " + table).code, 2);
  EXPECT_EQ(assay("plan " + table + override_).code, 0);
  EXPECT_EQ(assay("plan " + write("experiments/prune.toml", text(prune + "'lm.nll@length=512'\n")) + override_).code,
            2);
}

TEST_F(WorkerTest, AWorkerThatFailsIsAnErrorWithItsName) {
  worker("echo broken >&2; exit 3");
  const auto outcome = assay("plan " + write("experiments/x.toml", kSmall));
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.text,
            "broken\n" + (folder_ / "bin/assay-worker").string() + " validate: the process failed with exit code 3\n");
}

TEST_F(WorkerTest, ErrorsInTheFileAreReportedWithoutPlugins) {
  const auto file = write("experiments/x.toml", kSmall + "[modle]\n");
  const auto outcome = assay("plan " + file);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.text.find(file + ":22:2: unknown section 'modle'; did you mean 'model'?\n"), std::string::npos);
  EXPECT_NE(outcome.text.find("the program does not exist"), std::string::npos);
}

TEST_F(WorkerTest, WithoutAWorkerTheErrorNamesWhatToBuild) {
  EXPECT_EQ(assay("plugins").text,
            (folder_ / "bin/assay-worker").string() +
                ": the program does not exist; build assay-worker in the same folder as assay\n");
}

}  // namespace
}  // namespace assay::testing
