// Every experiment of the tree plans with the plugins as built.
#include <gmock/gmock.h>

#include <algorithm>

#include "base/files.h"
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

class Experiments : public ::testing::TestWithParam<std::string> {};

TEST_P(Experiments, Plan) {
  const char* data = std::getenv("ASSAY_DATA");
  const std::string name = GetParam().starts_with("fim/")      ? "networkx"
                           : GetParam().starts_with("cocolm/") ? "austen_bpe"
                                                               : "austen";
  const auto corpus = (data ? fs::path(data) : source_folder() / ".data") / name;
  if (!fs::exists(corpus)) GTEST_SKIP() << corpus << " is not there; run scripts/data " << name;
  const TemporaryFolder folder;
  const auto err = folder / "err";
  const auto command = "env -u ASSAY_DESCRIPTORS -u ASSAY_PLUGIN_PATH ASSAY_RESULTS='" + folder.path().string() +
                       "' '" + (build_folder() / "bin/assay").string() + "' plan '" +
                       (source_folder() / "experiments" / GetParam()).string() + "' >/dev/null 2>'" + err.string() +
                       "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << base::read_file(err);
}

INSTANTIATE_TEST_SUITE_P(Tree, Experiments, ::testing::ValuesIn(experiments_of_the_tree()), [](const auto& info) {
  auto name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace assay::testing
