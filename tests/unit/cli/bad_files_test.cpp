// Each case in tests/cli/bad is an experiment file with the exact error messages beside it. A first line `# args: a=b
// c=d` adds arguments to the command line.
#include <gmock/gmock.h>

#include <filesystem>
#include <sstream>

#include "base/files.h"
#include "cli/shared/cli.h"
#include "unit/plan/fixture.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
using testing::Environment;
using testing::source_folder;

// Messages name files as they were given: relative to the folder of the case.
class BadFiles : public ::testing::Test {
 protected:
  BadFiles() { fs::current_path(testing::source_folder() / "tests/cli/bad"); }
  ~BadFiles() override { fs::current_path(before_); }

  fs::path before_ = fs::current_path();
  Environment data_{"ASSAY_DATA", "../../fixtures/data"};
  Environment descriptors_{"ASSAY_DESCRIPTORS", "../../fixtures/descriptors.json"};
};

std::vector<std::string> command_of(const fs::path& file) {
  std::vector<std::string> words{"assay", "plan", file.filename().string()};
  std::istringstream text(base::read_file(file));
  std::string line, word;
  std::getline(text, line);
  if (!line.starts_with("# args:")) return words;
  std::istringstream arguments(line.substr(7));
  while (arguments >> word) words.push_back(word);
  return words;
}

int run(const std::vector<std::string>& words) {
  std::vector<const char*> argv;
  for (const auto& word : words) argv.push_back(word.c_str());
  return main(static_cast<int>(argv.size()), argv.data());
}

TEST_F(BadFiles, EachGivesItsMessagesAndExitCode2) {
  size_t cases = 0;
  for (const auto& entry : fs::directory_iterator(".")) {
    if (entry.path().extension() != ".toml") continue;
    ++cases;
    ::testing::internal::CaptureStderr();
    ::testing::internal::CaptureStdout();
    const int code = run(command_of(entry.path()));
    const auto output = ::testing::internal::GetCapturedStdout();
    const auto messages = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(code, kUsage) << entry.path();
    EXPECT_EQ(output, "") << entry.path();
    EXPECT_EQ(messages, base::read_file(fs::path(entry.path()).replace_extension(".txt"))) << entry.path();
  }
  EXPECT_GE(cases, 90u);
}

}  // namespace
}  // namespace assay::cli
