// One seed of the fill-in-the-middle study on the text w|w: the model learns to copy the middle from the suffix.
#include <gmock/gmock.h>

#include "e2e/programs.h"
#include "unit/source_folder.h"

namespace assay {
namespace {

using nlohmann::json;

class FillIn : public testing::Programs {};

TEST_F(FillIn, MiddlesAreCopiedFromTheSuffix) {
  const auto study = testing::source_folder() / "experiments/fim/synthetic_model.toml";
  folder_.write("experiments/tiny.toml",
                "extends = [\"" + study.string() +
                    "\"]\n[experiment]\nname = \"tiny\"\nseeds = [1]\n[train]\ntokens = 2_000_000\n");
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  const auto run = experiment().run(plan()[0]["train_id"]);
  std::map<std::string, double> found;
  for (const auto& entry : std::filesystem::directory_iterator(run.folder() / "eval")) {
    const auto record = read_json(entry.path());
    for (const auto& metric : record["metrics"])
      if (metric["value"].is_number()) found[metric["name"]] = metric["value"];
  }
  EXPECT_LT(found.at("middle_nll_spm_v2"), 0.5);  // by chance 2.77
  EXPECT_GT(found.at("middle_nll_prefix"), 2.6);  // the prefix says nothing about it
  EXPECT_GT(found.at("ended_spm_v2"), 0.8);
  const auto record = read_json(run.train_record());
  std::map<std::string, double> trained;
  for (const auto& metric : record["metrics"]) trained[metric["name"]] = metric["value"];
  EXPECT_NEAR(trained.at("fim.suffix_tokens"), 9 + 8 * 17 / 54.0, 0.3);  // |w and what two even cuts of w leave of it
}

}  // namespace
}  // namespace assay
