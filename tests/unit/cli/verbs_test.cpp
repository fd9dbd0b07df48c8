// plan, plugins, describe and help from the command line.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/shared/cli.h"
#include "cli/shared/text_table.h"
#include "unit/plan/fixture.h"

namespace assay::cli {
namespace {

using ::testing::HasSubstr;
using testing::kSmall;

struct Outcome {
  int code;
  std::string out, err;
};

class Verbs : public testing::PlanTest {
 protected:
  static Outcome run(std::vector<std::string> words) {
    words.insert(words.begin(), "assay");
    std::vector<const char*> argv;
    for (const auto& word : words) argv.push_back(word.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = main(static_cast<int>(argv.size()), argv.data());
    std::fflush(nullptr);
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.err = ::testing::internal::GetCapturedStderr();
    return outcome;
  }
  std::string small() const {
    return write("experiments/small.toml", testing::kSmall +
                                               "[experiment]\nseeds = '1..2'\n[[sweep]]\n[sweep.grid]\npositional = "
                                               "['none', 'alibi']\nmodel.layers = [1, 1000]\n");
  }
};

TEST_F(Verbs, PlanListsRunsByTheirDifferences) {
  const auto outcome = run({"plan", small(), "--set", "model.layers=2"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("small: 2 combinations, 2 distinct, 2 seeds: 4 runs\n"));
  EXPECT_THAT(outcome.out, ::testing::ContainsRegex("\n[0-9a-f]{8}  alibi +2 +2 +7 +896\n"));
  EXPECT_THAT(outcome.out,
              HasSubstr("total: 28 steps, 3,584 tokens, 2.15e+07 FLOPs (6ND)\n"));  // 4 * 7 steps of 128 tokens
}

TEST_F(Verbs, PlanAsJsonPrintsThePlan) {
  const auto outcome = run({"plan", small(), "model.layers=2", "--json"});
  const auto document = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(document.at("distinct"), 2);
  EXPECT_EQ(document.at("runs").at(3).at("axes"), (nlohmann::json{{"positional", "alibi"}, {"model.layers", 2}}));
}

TEST_F(Verbs, PlanNeedsOneFile) {
  EXPECT_EQ(run({"plan"}).code, kUsage);
  EXPECT_EQ(run({"plan", "a.toml", "b.toml"}).err,
            "assay plan: the command takes one experiment file, but 'a.toml' and 'b.toml' are given; name one\n");
  EXPECT_EQ(run({"plan", "nowhere.toml"}).err,
            "nowhere.toml: nowhere.toml: cannot be read: No such file or directory\n");
  EXPECT_THAT(run({"plan", "--jsn", "a.toml"}).err, HasSubstr("--jsn"));
}

TEST_F(Verbs, PluginsListsComponentsAndRefusals) {
  const testing::Environment refused("ASSAY_DESCRIPTORS",
                                     (testing::source_folder() / "tests/fixtures/descriptors_refused.json").string());
  const auto outcome = run({"plugins"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_THAT(outcome.out, HasSubstr("\nobjective/mle          mle           1.0.0  Next-token cross entropy.\n"));
  EXPECT_THAT(outcome.out, HasSubstr("refused: /plugins/alibi.so: built against LibTorch 2.10.0, this is 2.11.0\n"));
}

TEST_F(Verbs, PluginsAsMarkdownIsATableWithRefusalsBelow) {
  const auto outcome = run({"plugins", "--format", "md"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_THAT(outcome.out, ::testing::StartsWith("| kind | name | what it is | paper |\n|:--|:--|:--|:--|\n| "));
  EXPECT_THAT(
      outcome.out,
      HasSubstr("\n| positional | `alibi` | Adds -slope \\* distance to every attention score; no embeddings. | "
                "arXiv:2108.12409 |\n"));
  const testing::Environment refused("ASSAY_DESCRIPTORS",
                                     (testing::source_folder() / "tests/fixtures/descriptors_refused.json").string());
  const auto partial = run({"plugins", "--format", "md"});
  EXPECT_THAT(partial.out, ::testing::Not(HasSubstr("refused")));
  EXPECT_THAT(partial.err, HasSubstr("refused: /plugins/alibi.so: "));
  EXPECT_EQ(run({"plugins", "--format", "csv"}).code, kUsage);
}

TEST_F(Verbs, DescribeIsAParameterTable) {
  const auto outcome = run({"describe", "alibi"});
  EXPECT_EQ(outcome.out,
            "positional 'alibi'  (plugin alibi 1.0.0, /plugins/alibi.so)\n"
            "Adds -slope * distance to every attention score; no embeddings.\n"
            "paper: arXiv:2108.12409\n\n"
            "parameter     type             default  meaning\n"
            "max_exponent  real in [1, 64]        8  Last head's slope is 2^-max_exponent.\n");
  EXPECT_EQ(run({"describe", "positional/alibi"}).out, outcome.out);
  EXPECT_EQ(run({"describe", "objective/alibi"}).code, kUsage);
  EXPECT_EQ(run({"describe", "alibi", "--format", "md"}).out,
            "### positional `alibi`\n\n"
            "Adds -slope \\* distance to every attention score; no embeddings. (arXiv:2108.12409)\n\n"
            "| parameter | type | default | meaning |\n|:--|:--|:--|:--|\n"
            "| `max_exponent` | real in [1, 64] | 8 | Last head's slope is 2^-max_exponent. |\n");
  const auto described = nlohmann::json::parse(run({"describe", "alibi", "--format", "json"}).out)[0];
  EXPECT_EQ(described["name"], "alibi");
  EXPECT_EQ(described["parameters"][0]["max"], 64);
  EXPECT_EQ(described["parameters"][0]["default"], 8);
  EXPECT_EQ(run({"describe", "alibi", "--format", "xml"}).err,
            "--format: 'xml' is not a valid format; give text, md or json\n");
  EXPECT_EQ(run({"describe", "--schema", "alibi"}).err, "assay describe --schema takes no NAME\n");
  EXPECT_EQ(run({"describe", "alibbi"}).err, "assay describe: there is no component 'alibbi'; did you mean 'alibi'?\n");
}

TEST_F(Verbs, HelpAndUnknownVerbs) {
  EXPECT_EQ(run({}).code, kUsage);
  EXPECT_THAT(run({"help"}).out, HasSubstr("plan X.toml"));
  EXPECT_EQ(run({"--version"}).out, "assay 0.1.0\n");
  EXPECT_EQ(run({"paln"}).err, "assay: unknown verb 'paln'; did you mean 'plan'?\n");
  EXPECT_EQ(run({"paln"}).code, kUsage);
  EXPECT_THAT(run({"plan", "--help"}).out, HasSubstr("--plugin-path"));
}

TEST(TextTable, NumbersAreRightAlignedAndWidthsCountCharacters) {
  EXPECT_EQ(aligned({{"name", "n"}, {"é", "1,000"}, {"abcde", "2"}}), "name       n\né      1,000\nabcde      2\n");
}

}  // namespace
}  // namespace assay::cli
