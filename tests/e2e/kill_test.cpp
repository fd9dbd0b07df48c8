// kill -9 of controllers and of workers at random moments, and two controllers at once: running again gives exactly the
// planned records, equal to those of an undisturbed sweep, and no step is lost or repeated.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <set>
#include <thread>

#include "assay/random.h"
#include "e2e/resume.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using testing::kSteps;

constexpr const char *kUndisturbed = "undisturbed",
                     *kRun = "run experiments/case.toml experiment.seeds=[1,2,3] --jobs 2";

// Returns the processes whose parent is `parent`.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream stream(entry.path() / "stat");
    std::string text;
    if (!std::getline(stream, text)) continue;
    std::istringstream behind(text.substr(text.rfind(')') + 1));  // state, parent
    std::string state;
    pid_t of = 0;
    if (behind >> state >> of && of == parent) children.push_back(std::stoi(entry.path().filename()));
  }
  return children;
}

class Kill : public testing::Resume {
 protected:
  Kill() { write_case({}, 1000, "step", "{ tensor = 1 }"); }  // the tracker kills no process

  // Returns the exit code if the process ends before the time, and nothing if it is still running.
  std::optional<int> wait(pid_t controller, Clock::time_point until) {
    for (;;) {
      int status = 0;
      if (::waitpid(controller, &status, WNOHANG) == controller) return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      if (Clock::now() >= until) return std::nullopt;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // The workers of a killed controller keep running, so another process holds their runs for a while.
  void run_to_the_end(const std::string& results) {
    int code = 1;
    for (int i = 0; i < 100 && code == 1; ++i) code = call(kRun, results);
    ASSERT_EQ(code, 0) << err_;
  }

  void expect_every_step_once(const std::string& results) {
    for (const auto& line : plan(results)) {
      std::vector<int> steps, expected;
      for (const auto& event : assay::record::read_events(experiment(results).run(line["train_id"]).events()))
        if (event["type"] == "step") steps.push_back(event["step"]);
      for (int step = 1; step <= testing::kSteps; ++step) expected.push_back(step);
      EXPECT_EQ(steps, expected);
    }
  }
};

TEST_F(Kill, NothingIsLostOrDoneTwiceWhenKilledAtAnyMoment) {
  const auto began = Clock::now();
  ASSERT_EQ(call(kRun, kUndisturbed), 0) << err_;
  const auto whole = Clock::now() - began;
  const auto reference = exact(kUndisturbed);
  const int wanted = std::getenv("ASSAY_SLOW_TESTS") ? 50 : 5;
  const Draws draws(1, "kills");
  uint64_t draw = 0;
  std::set<std::string> killed;
  for (int kills = 0, sweep = 0; kills < wanted; ++sweep) {
    const auto results = "sweep" + std::to_string(sweep);
    for (bool goes_on = true; goes_on && kills < wanted;) {
      const auto controller = start(kRun, results);
      const auto delay = whole * static_cast<int>(5 + draws.below(60, draw++)) / 100;
      if (const auto code = wait(controller, Clock::now() + delay)) {
        goes_on = *code != 0;
        continue;
      }
      const auto workers = children_of(controller);
      const bool of_worker = !workers.empty() && draws.below(2, draw++) == 0;
      if (of_worker) ::kill(workers[draws.below(workers.size(), draw++)], SIGKILL);
      // The test does not wait for the rest of that sweep: a controller that lost a worker is killed a moment later.
      if (!of_worker || !wait(controller, Clock::now() + whole / 10)) {
        ::kill(controller, SIGKILL);
        ASSERT_TRUE(wait(controller, Clock::now() + std::chrono::minutes(1)));
      }
      killed.insert(of_worker ? "worker" : "controller");
      ++kills;
    }
    run_to_the_end(results);
    expect_equal(exact(results), reference);
    expect_every_step_once(results);
  }
  if (wanted > 5) {
    EXPECT_EQ(killed.size(), 2u);
  }
}

TEST_F(Kill, TwoControllersRunNothingTwice) {
  ASSERT_EQ(call(kRun, kUndisturbed), 0) << err_;
  const std::string results = "both";
  for (const auto controller : {start(kRun, results), start(kRun, results)}) {
    int status = 0;
    ::waitpid(controller, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_THAT(WEXITSTATUS(status), ::testing::AnyOf(0, 1))
        << base::read_file(folder_ / "started");  // 1: the other controller has one run
  }
  ASSERT_EQ(call(kRun, results), 0) << err_;
  EXPECT_THAT(err_, ::testing::HasSubstr("0 done, 3 already complete"));
  for (const auto& line : plan(results))
    for (const auto& event : read_events(experiment(results).run(line["train_id"]))) EXPECT_EQ(event["attempt"], 1);
  expect_equal(exact(results), exact(kUndisturbed));
}

}  // namespace
}  // namespace assay
