// A sweep with [prune] on the real programs: runs that are kept end with the same bytes as in a sweep without it, and
// pruned runs are reported.
#include <gmock/gmock.h>

#include "e2e/programs.h"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Prune : public testing::Programs {
 protected:
  void write(const std::string& prune) {
    write_experiment(
        "[log]\nevery = 1\n[[sweep]]\n[sweep.grid]\noptimizer.lr = [1e-2, 1e-3, 1e-6]\n[compare]\nbaseline = "
        "{ optimizer.lr = 1e-6 }\n" +
        prune);
  }
  // The records without the hash of the experiment file, which contains [prune].
  std::map<std::string, nlohmann::json> trained(const std::string& results) {
    std::map<std::string, nlohmann::json> found;
    for (const auto& [name, text] : records(results)) {
      auto record = nlohmann::json::parse(text);
      record.erase("source");
      found[name] = record;
    }
    return found;
  }
};

TEST_F(Prune, StopsTheWorstGroupAndDoesNotChangeTheOthers) {
  const std::string words = "run experiments/tiny.toml experiment.seeds=[1,2] --jobs 2";
  write("[prune]\nmetric = \"loss\"\nrungs = [\"4 steps\"]\n");
  ASSERT_EQ(call(words), 0) << err_;
  EXPECT_THAT(
      err_,
      AllOf(HasSubstr("Running 6 of 6 runs up to the rung 4 steps"), HasSubstr("Running 4 of 4 runs, at most"),
            HasSubstr(
                "pruned optimizer.lr=0.001 seed=2: ranked 2 of 2 by loss at the rung 4 steps; the first 1 continue"),
            HasSubstr("4 done, 2 pruned.")));
  ASSERT_EQ(call("status tiny"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("4 done, 0 running, 0 failed, 0 queued, 2 pruned"));
  ASSERT_EQ(call("compare tiny"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("0/2 (2 pruned)"));
  ASSERT_EQ(call(words), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("0 done, 4 already complete, 2 pruned."));

  const auto pruned = trained("results");
  ASSERT_EQ(call(words, "whole"), 0) << err_;
  write("");
  ASSERT_EQ(call(words, "whole"), 0) << err_;  // the file no longer prunes, so the pruned runs continue
  ASSERT_EQ(call(words, "never_pruned"), 0) << err_;
  const auto whole = trained("never_pruned");
  EXPECT_EQ(trained("whole"), whole);
  EXPECT_EQ(whole.size(), 12u);
  EXPECT_EQ(pruned.size(), 8u);
  for (const auto& [name, record] : pruned) EXPECT_EQ(whole.at(name), record) << name;
}

}  // namespace
}  // namespace assay
