#include "base/process.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include "base/files.h"
#include "unit/temporary_folder.h"

namespace assay::base {
namespace {

using std::chrono::steady_clock;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Process, AppendsToItsLog) {
  const testing::TemporaryFolder folder;
  const auto log = folder.write("log", "before\n");
  const std::vector<std::string> command{"sh", "-c", "echo $WORD; echo error >&2; cat; exit 3"};
  Process child(command, {{"WORD", "added"}}, log);
  const auto status = child.wait();
  EXPECT_EQ(status.code, 3);
  EXPECT_EQ(status.signal, std::nullopt);
  EXPECT_THAT(read_file(log), HasSubstr("before\nadded\nerror\n"));
}

TEST(Process, AddedVariablesReplaceThoseOfTheCaller) {
  const testing::TemporaryFolder folder;
  ::setenv("ASSAY_TEST_WORD", "inherited", 1);
  Process child({"env"}, {{"ASSAY_TEST_WORD", "added"}}, folder / "log");
  ::unsetenv("ASSAY_TEST_WORD");
  EXPECT_EQ(child.wait().code, 0);
  EXPECT_THAT(read_file(folder / "log"), AllOf(HasSubstr("ASSAY_TEST_WORD=added\n"), Not(HasSubstr("inherited"))));
}

TEST(Process, HasItsOwnProcessGroup) {
  const testing::TemporaryFolder folder;
  Process child({"sh", "-c", "sleep 600; true"}, {}, folder / "log");
  EXPECT_EQ(::getpgid(child.id()), child.id());
  EXPECT_FALSE(child.poll());
  child.send(SIGKILL);
  EXPECT_EQ(child.wait().signal, SIGKILL);
}

TEST(Process, ReportsWhatCannotBeStarted) {
  const testing::TemporaryFolder folder;
  const auto text_of = [](const auto& start) -> std::string {
    try {
      start();
    } catch (const CannotStart& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(text_of([&] { Process({"/nowhere/program"}, {}, folder / "log"); }),
            "/nowhere/program: cannot be started: No such file or directory");
  EXPECT_EQ(text_of([&] { Process({"true"}, {}, folder / "nowhere/log"); }),
            "true: cannot be started: No such file or directory");
  EXPECT_EQ(text_of([&] { run_program({"/nowhere/program"}); }),
            "/nowhere/program: cannot be started: No such file or directory");
}

TEST(ProgramRun, PassesLinesAsTheyComeAndReturnsTheRest) {
  std::vector<std::string> lines;
  const auto output =
      run_program({"printf", "one\\n\\ntwo\\nrest"}, {}, [&](const auto& line) { lines.push_back(line); });
  EXPECT_THAT(lines, ElementsAre("one", "", "two"));
  EXPECT_EQ(output.text, "rest");
  EXPECT_EQ(output.status.code, 0);
  EXPECT_FALSE(output.timed_out);
}

TEST(ProgramRun, KillsAtTheDeadline) {
  const auto began = steady_clock::now();
  const auto soon = [] { return steady_clock::now() + std::chrono::milliseconds(100); };
  auto output = run_program({"sh", "-c", "echo begun; exec sleep 600"}, {}, {}, soon());
  EXPECT_TRUE(output.timed_out);
  EXPECT_EQ(output.status.signal, SIGKILL);
  EXPECT_EQ(output.text, "begun\n");
  // This process closes its output and keeps running.
  output = run_program({"sh", "-c", "exec sleep 600 >&-"}, {}, {}, soon());
  EXPECT_TRUE(output.timed_out);
  EXPECT_EQ(output.status.signal, SIGKILL);
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(60));
  output = run_program({"sh", "-c", "kill -TERM $$"}, {}, {}, steady_clock::now() + std::chrono::seconds(60));
  EXPECT_FALSE(output.timed_out);
  EXPECT_EQ(output.status.signal, SIGTERM);
}

TEST(Capture, ReturnsTheOutputOrNothing) {
  EXPECT_EQ(capture_output({"printf", "a b"}), "a b");
  EXPECT_EQ(capture_output({"sh", "-c", "echo x; exit 3"}), std::nullopt);
  EXPECT_EQ(capture_output({"/nowhere/program"}), std::nullopt);
  std::string errors;
  EXPECT_EQ(capture_output({"sh", "-c", "echo why >&2; exit 3"}, &errors), std::nullopt);
  EXPECT_EQ(errors, "why\n");
  EXPECT_EQ(capture_output({"/nowhere/program"}, &errors), std::nullopt);
  EXPECT_EQ(errors, "/nowhere/program: No such file or directory");
  EXPECT_EQ(capture_output({"sh", "-c", "head -c 300000 /dev/zero"})->size(), 300000u);
}

}  // namespace
}  // namespace assay::base
