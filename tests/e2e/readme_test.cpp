// The table in plugins/README.md matches the descriptions of the built plugins.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/files.h"
#include "unit/loader/fixture_files.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

TEST(Readme, ListsThePlugins) {
  const std::string begin = "<!-- made by: assay plugins --format md -->\n\n", end = "\n<!-- end of the table -->";
  const auto readme = base::read_file(source_folder() / "plugins/README.md");
  const auto from = readme.find(begin), to = readme.find(end, from);
  ASSERT_NE(from, std::string::npos) << "plugins/README.md has no line " << begin;
  ASSERT_NE(to, std::string::npos);
  TemporaryFolder folder;
  const auto made = folder.path() / "made";
  const auto command = "env -u ASSAY_DESCRIPTORS -u ASSAY_PLUGIN_PATH '" + (build_folder() / "bin/assay").string() +
                       "' plugins --format md >'" + made.string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(readme.substr(from + begin.size(), to - from - begin.size()), base::read_file(made))
      << "the plugins changed and plugins/README.md did not; to fix it: scripts/lib/readme_plugins.py";
}

}  // namespace
}  // namespace assay::testing
