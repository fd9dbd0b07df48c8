// Events that several attempts wrote are read back unchanged.
#include <gmock/gmock.h>

#include <fstream>

#include "assay/error.h"
#include "assay/tracker.h"
#include "harness.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> lines;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

RunInfo run_in(const std::filesystem::path& folder) {
  return {folder.string(), "quickstart", "positional=alibi", "ab", 1};
}

const json kStep{{"attempt", 1}, {"type", "step"}, {"step", 10}, {"loss", 3.25}};
const json kEnd{{"attempt", 2}, {"type", "end"}, {"text", "line\nbreak, \"quotes\" and caf\u00e9"}};

TEST(Jsonl, AppendsOneLinePerEventOverAttempts) {
  const TemporaryFolder folder;
  {
    const auto tracker = make<Tracker>("jsonl");
    tracker->open(run_in(folder.path()));
    tracker->on("step", kStep.dump());
    EXPECT_EQ(lines_of(folder / "metrics.jsonl").size(), 1u) << "an event must be on disk when on() returns";
  }
  const auto tracker = make<Tracker>("jsonl");
  tracker->open(run_in(folder.path()));
  tracker->on("end", kEnd.dump());
  const auto lines = lines_of(folder / "metrics.jsonl");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(json::parse(lines[0]), kStep);
  EXPECT_EQ(json::parse(lines[1]), kEnd);
}

TEST(Jsonl, AnUnfinishedLineIsEnded) {
  const TemporaryFolder folder;
  folder.write("metrics.jsonl", kStep.dump() + "\n{\"attempt\":1,\"ty");
  const auto tracker = make<Tracker>("jsonl");
  tracker->open(run_in(folder.path()));
  tracker->on("end", kEnd.dump());
  const auto lines = lines_of(folder / "metrics.jsonl");
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(json::parse(lines[2]), kEnd);
}

TEST(Jsonl, FileIsRelativeToTheRunUnlessAbsolute) {
  const TemporaryFolder run, other;
  const auto near = make<Tracker>("jsonl", {{"file", "near.jsonl"}});
  near->open(run_in(run.path()));
  near->on("step", kStep.dump());
  EXPECT_EQ(lines_of(run / "near.jsonl").size(), 1u);
  const auto far = make<Tracker>("jsonl", {{"file", (other / "far.jsonl").string()}});
  far->open(run_in(run.path()));
  far->on("step", kStep.dump());
  EXPECT_EQ(lines_of(other / "far.jsonl").size(), 1u);
}

TEST(Jsonl, ReportsWhatItCannotWrite) {
  const TemporaryFolder folder;
  const auto tracker = make<Tracker>("jsonl", {{"file", "missing/metrics.jsonl"}});
  try {
    tracker->open(run_in(folder.path()));
    FAIL() << "opened";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("missing/metrics.jsonl: No such file or directory"));
  }
  EXPECT_THROW(make<Tracker>("jsonl", {{"file", ""}}), PluginError);
  const auto full = make<Tracker>("jsonl", {{"file", "/dev/full"}});
  full->open(run_in(folder.path()));
  EXPECT_THROW(full->on("step", kStep.dump()), UserError);
}

}  // namespace
}  // namespace assay::testing
