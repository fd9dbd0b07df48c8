// assay check from the command line: it prints one line per property, and no plugin can hide a failing exit code.
#include <gmock/gmock.h>

#include "e2e/programs.h"
#include "unit/loader/fixture_files.h"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Check : public testing::Programs {};

TEST_F(Check, AGoodPlugin) {
  EXPECT_EQ(call("check " + testing::good_plugin("constant").string()), 0) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("scheduler/constant: a multiplier depends only on its step: ok\n"),
                          HasSubstr("properties hold\n"), Not(HasSubstr("FAULT"))));
}

TEST_F(Check, AFaultyPlugin) {
  EXPECT_EQ(call("check " + testing::fixture("nan_objective").string()), 1) << err_;
  EXPECT_THAT(out_, HasSubstr("FAULT: "));
}

TEST_F(Check, APluginThatEndsTheProcess) {
  EXPECT_EQ(call("check " + testing::fixture("exits_early").string()), 1) << err_;
  EXPECT_THAT(out_,
              AllOf(HasSubstr("it can be constructed with its defaults: ok\n"),
                    HasSubstr("FAULT: terminated its process with exit code 0; later properties were not checked\n"),
                    Not(HasSubstr("some words"))));
}

// Each component is checked in its own process with its own time limit, so a crash or a hang does not stop the next
// check.
TEST_F(Check, ContinuesAfterACrashAndAHang) {
  EXPECT_EQ(call("check " + testing::fixture("crashes_and_hangs").string() + " --timeout 8s"), 1) << err_;
  const std::string events = "it accepts events of every type, known and unknown";
  EXPECT_THAT(out_, AllOf(HasSubstr("tracker/crashes: " + events +
                                    ": FAULT: terminated its process with signal 11 (Segmentation fault); later "
                                    "properties were not checked\n"),
                          HasSubstr("tracker/hangs: " + events +
                                    ": FAULT: did not finish within 8 s and was killed; if it does not hang, increase "
                                    "--timeout; later properties were not checked\n"),
                          HasSubstr("tracker/listens: " + events + ": ok\n")));
}

TEST_F(Check, AnExperimentFile) {
  write_experiment();
  EXPECT_EQ(call("check experiments/tiny.toml"), 0) << err_;
  EXPECT_EQ(out_, "experiments/tiny.toml: 1 run, the plan is valid\n");
  EXPECT_EQ(call("check experiments/tiny.toml train.stepss=3"), 2);
  EXPECT_THAT(err_, HasSubstr("unknown key 'stepss'"));
}

TEST_F(Check, RefusesWhatItCannotCheck) {
  EXPECT_EQ(call("check nowhere.so"), 2);
  EXPECT_THAT(err_, HasSubstr("nowhere.so: there is no such file"));
  EXPECT_EQ(call("check " + testing::good_plugin("constant").string() + " warmp=3"), 2);
  EXPECT_THAT(err_, HasSubstr("'warmp=3' is not a parameter of any component in"));
  EXPECT_EQ(call("check " + testing::good_plugin("constant").string() + " --timeout soon"), 2);
  EXPECT_THAT(err_,
              HasSubstr("assay check: --timeout 'soon' is not a valid duration; give a time such as 90s, 15m or 2h"));
}

}  // namespace
}  // namespace assay
