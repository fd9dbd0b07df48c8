// The lines of progress, and when they are printed.
#include "launch/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "unit/temporary_folder.h"

namespace assay::launch {
namespace {

using std::chrono::seconds;

RunProgress half_way() {
  RunProgress run;
  run.name = "alibi seed=1";
  apply_event(run, {{"attempt", 2}, {"type", "start"}, {"steps", 120}, {"from", 20}});
  apply_event(run, {{"attempt", 2},
                    {"type", "step"},
                    {"step", 70},
                    {"loss", 3.20406},
                    {"measured", {{"tokens_per_second", 17040.0}}}});
  run.seconds = 100;
  return run;
}

TEST(Describe, StepLossRateAndTimeLeft) {
  EXPECT_EQ(describe(half_way()), "alibi seed=1  70/120  loss 3.2041  17.0k tokens/s  1m40s left");
}

TEST(Describe, NoTimeIsEstimatedBeforeTheFirstStep) {
  RunProgress run;
  run.name = "a";
  run.steps = 5;
  run.seconds = 3;
  EXPECT_EQ(describe(run), "a  0/5");
}

TEST(Describe, ANonFiniteLossIsOmitted) {
  auto run = half_way();
  apply_event(run, {{"attempt", 2}, {"type", "step"}, {"step", 80}, {"loss", nullptr}});
  EXPECT_EQ(run.step, 80);
  EXPECT_FALSE(run.loss);
}

// A step without targets has no loss; the last loss is still shown.
TEST(Describe, AMissingLossKeepsTheLastOne) {
  auto run = half_way();
  apply_event(run, {{"attempt", 2}, {"type", "step"}, {"step", 80}});
  EXPECT_EQ(describe(run), "alibi seed=1  80/120  loss 3.2041  17.0k tokens/s  1m07s left");
}

TEST(Describe, SkippedStepsAreCounted) {
  auto run = half_way();
  apply_event(run, {{"attempt", 2}, {"type", "skip"}, {"step", 71}, {"text", "loss nan"}});
  apply_event(run, {{"attempt", 2}, {"type", "step"}, {"step", 71}});
  EXPECT_THAT(describe(run), ::testing::StartsWith("alibi seed=1  71/120  1 skipped  loss 3.2041"));
  // A later attempt adds to the count that it resumes from.
  apply_event(run, {{"attempt", 3}, {"type", "start"}, {"steps", 120}, {"from", 60}, {"skipped", 4}});
  EXPECT_EQ(run.skipped, 4);
  apply_event(run, {{"attempt", 4}, {"type", "start"}, {"steps", 120}});
  EXPECT_EQ(run.skipped, 0);
}

TEST(DurationText, Units) {
  EXPECT_EQ(duration_text(0.4), "0s");
  EXPECT_EQ(duration_text(59.6), "1m00s");
  EXPECT_EQ(duration_text(3599), "59m59s");
  EXPECT_EQ(duration_text(7500), "2h05m");
}

class ProgressLines : public ::testing::Test {
 protected:
  ProgressLines() {
    folder_.write("runs/t/note", "");
    std::ofstream(job_.run.events()) << R"({"attempt":1,"type":"step","step":99})"
                                     << "\n";  // from an earlier attempt
  }
  void append(const std::string& line) { std::ofstream(job_.run.events(), std::ios::app) << line << "\n"; }

  testing::TemporaryFolder folder_;
  Job job_{"t", "alibi", record::ExperimentLayout(folder_.path()).run("t"), 1, 1, 40};
  std::ostringstream out_;
  Progress::Clock::time_point begin_{};
};

TEST_F(ProgressLines, PlainLinesEveryTenSeconds) {
  Progress progress(out_, {}, 2, 1);
  progress.started(job_, begin_);
  append(R"({"attempt":2,"type":"start","steps":40})");
  append(R"({"attempt":2,"type":"step","step":10,"loss":1.5})");
  progress.update(begin_ + seconds(9));
  progress.update(begin_ + seconds(10));
  progress.update(begin_ + seconds(19));
  progress.ended(job_, Ending{}, begin_ + seconds(20));
  EXPECT_EQ(out_.str(), "start  alibi\n       alibi  10/40  loss 1.5000  30s left\ndone   alibi  loss 1.5000  20s\n");
}

TEST_F(ProgressLines, AFinishedRunListsTheStepsItSkipped) {
  Progress progress(out_, {}, 1, 1);
  progress.started(job_, begin_);
  append(R"({"attempt":2,"type":"start","steps":6})");
  append(R"({"attempt":2,"type":"step","step":1,"loss":1.5})");
  for (const char* step : {"2", "3", "4", "5", "6"})
    append(std::string(R"({"attempt":2,"type":"skip","text":"loss nan","step":)") + step + "}");
  append(R"({"attempt":2,"type":"step","step":6})");
  progress.ended(job_, Ending{}, begin_ + seconds(20));
  EXPECT_EQ(out_.str(), "start  alibi\ndone   alibi  loss 1.5000  5 of 6 steps skipped  20s\n");
}

TEST_F(ProgressLines, LiveLinesAreRedrawnAndTruncated) {
  Progress progress(out_, {.live = true, .colour = false, .width = 25}, 3, 2);
  progress.started(job_, begin_);
  append(R"({"attempt":2,"type":"step","step":10,"loss":1.5})");
  progress.update(begin_ + seconds(5));
  // 15 s are left of this run, and 2 more take 20 s each, two at a time: 27.5 s. Lines are truncated one character
  // short of the width.
  EXPECT_EQ(out_.str(), "alibi  10/40  loss 1.500\n0/3 done, 1 running, about 28s left\n");
  out_.str("");
  progress.ended(job_, Ending{record::RunStatus::kFailed, "it broke", "bug", {"last"}}, begin_ + seconds(6));
  progress.update(begin_ + seconds(6));
  EXPECT_EQ(out_.str(),
            "\x1b[2A\x1b[J"
            "FAILED alibi: it broke\n       | last\n       log: " +
                job_.run.log().string() + "\n0/3 done, 1 failed, 0 running\n");
}

TEST_F(ProgressLines, ColoursOnlyWhereAsked) {
  Progress progress(out_, {.live = true, .colour = true, .width = 80}, 1, 1);
  progress.started(job_, begin_);
  progress.ended(job_, Ending{}, begin_ + seconds(1));
  EXPECT_EQ(out_.str(), "\x1b[32mdone\x1b[0m   alibi  1s\n");
}

// Returns what a run writes to standard error, a terminal, with these environment variables.
std::string on_a_terminal(const char* terminal, const char* no_colour) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY), kept = ::dup(STDERR_FILENO);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) throw std::runtime_error("no terminal");
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  ::dup2(slave, STDERR_FILENO);
  ::setenv("TERM", terminal, 1);
  no_colour ? ::setenv("NO_COLOR", no_colour, 1) : ::unsetenv("NO_COLOR");
  const auto style = style_of_stderr();
  ::unsetenv("NO_COLOR");
  ::dup2(kept, STDERR_FILENO);
  for (const int one : {master, slave, kept}) ::close(one);
  const testing::TemporaryFolder folder;
  const Job job{"t", "alibi", record::ExperimentLayout(folder.path()).run("t"), 1, 1, 40};
  std::ostringstream out;
  Progress progress(out, style, 1, 1);
  progress.started(job, {});
  progress.update({});
  progress.ended(job, Ending{}, {});
  return out.str();
}

TEST(ProgressStyle, NoColourAndNoEscapesWhereTheEnvironmentForbidsThem) {
  const std::string colour = "\x1b[32m", escape = "\x1b";
  EXPECT_THAT(on_a_terminal("xterm", nullptr), ::testing::HasSubstr(colour));
  EXPECT_THAT(on_a_terminal("xterm", ""), ::testing::HasSubstr(colour));  // it must not be empty: no-color.org
  const auto plain = on_a_terminal("xterm", "1");
  EXPECT_THAT(plain, ::testing::Not(::testing::HasSubstr(colour)));
  EXPECT_THAT(plain, ::testing::HasSubstr(escape));  // the cursor still moves
  EXPECT_EQ(on_a_terminal("dumb", nullptr), "start  alibi\ndone   alibi  0s\n");
}

}  // namespace
}  // namespace assay::launch
