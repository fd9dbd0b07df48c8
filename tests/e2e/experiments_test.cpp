// Every experiment of the repository must plan with the built plugins to the lines and ids in plans.tsv, so that
// existing runs are still found by their ids.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "base/files.h"
#include "e2e/plan_row.h"
#include "unit/loader/fixture_files.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> experiments_of_the_tree() {
  std::vector<std::string> names;
  if (!std::getenv("ASSAY_SOURCE_DIR")) return names;
  for (const auto& file : fs::recursive_directory_iterator(source_folder() / "experiments"))
    if (file.path().extension() == ".toml")
      names.push_back(file.path().lexically_relative(source_folder() / "experiments").string());
  std::sort(names.begin(), names.end());
  return names;
}

// Returns the row of plans.tsv, or an empty one where there is none.
std::string known_row(const std::string& experiment) {
  std::ifstream table(source_folder() / "tests/e2e/plans.tsv");
  for (std::string row; std::getline(table, row);)
    if (row.starts_with(experiment + "\t")) return row;
  return "";
}

class Experiments : public ::testing::TestWithParam<std::string> {};

TEST_P(Experiments, Plan) {
  const char* data = std::getenv("ASSAY_DATA");
  const auto of = [](const char* study) { return GetParam().starts_with(study); };
  const std::string name = of("fim/")                                                ? "networkx"
                           : of("cocolm/") || of("norms/") || of("toxicity/topical") ? "austen_bpe"
                                                                                     : "austen";
  const auto corpus = (data ? fs::path(data) : source_folder() / ".data") / name;
  if (!fs::exists(corpus)) GTEST_SKIP() << corpus << " is not there; run scripts/data " << name;
  const TemporaryFolder folder;
  const auto out = folder / "out", err = folder / "err";
  const auto command = "env -u ASSAY_DESCRIPTORS -u ASSAY_PLUGIN_PATH ASSAY_RESULTS='" + folder.path().string() +
                       "' '" + (build_folder() / "bin/assay").string() + "' plan --json '" +
                       (source_folder() / "experiments" / GetParam()).string() + "' >'" + out.string() + "' 2>'" +
                       err.string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << base::read_file(err);
  EXPECT_EQ(plan_row(GetParam(), nlohmann::json::parse(base::read_file(out))), known_row(GetParam()))
      << "where the experiment's file means other runs now, its row of tests/e2e/plans.tsv is the first of the two";
}

INSTANTIATE_TEST_SUITE_P(Tree, Experiments, ::testing::ValuesIn(experiments_of_the_tree()), [](const auto& info) {
  auto name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace assay::testing
