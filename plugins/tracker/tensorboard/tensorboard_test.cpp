// Framing and checksums against known values, and the files of a resumed run. tests/tensorboard_read.py reads them with
// TensorBoard itself.
#include <gmock/gmock.h>

#include <fstream>

#include "assay/error.h"
#include "assay/tracker.h"
#include "event_file.h"
#include "harness.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

std::string hex(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string content(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

uint32_t unmasked(uint32_t crc) { return std::rotl(crc - 0xa282ead8u, 15); }

TEST(EventFile, Crc32cOfKnownData) {
  // RFC 3720, B.4, and the check value of CRC-32C in the CRC catalogue.
  EXPECT_EQ(unmasked(masked_crc("123456789")), 0xe3069283u);
  EXPECT_EQ(unmasked(masked_crc(std::string(32, '\0'))), 0x8a9136aau);
  EXPECT_EQ(unmasked(masked_crc(std::string(32, '\xff'))), 0x62a8ab43u);
  std::string ascending;
  for (char byte = 0; byte < 32; ++byte) ascending += byte;
  EXPECT_EQ(unmasked(masked_crc(ascending)), 0x46dd794eu);
}

TEST(EventFile, BytesAsTensorFlowWritesThem) {
  // Made by tensorboard's own EventFileWriter and event_pb2: Event(wall_time=1.5, file_version="brain.Event:2"), and
  // Event(wall_time=2.0, step=300) with simple_value 0.5 for the tag "a" and with SessionLog(status=START).
  EXPECT_EQ(hex(framed(version_event(1.5))),
            "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c");
  EXPECT_EQ(hex(framed(scalars_event(2.0, 300, {{"a", 0.5}}))),
            "1800000000000000a37f4b2209000000000000004010ac022a0a0a080a0161150000003fd150deb2");
  EXPECT_EQ(hex(framed(start_event(2.0, 300))), "100000000000000095fbfe1809000000000000004010ac023a0208011292da01");
}

TEST(EventFile, ReadsBackUpToATruncatedRecord) {
  const TemporaryFolder folder;
  const auto one = framed(scalars_event(1, 7, {{"a", 1}, {"b", 2}})),
             two = framed(scalars_event(1, 1000000, {{"c", 3}}));
  const auto read = [&](const std::string& bytes) { return scalars_in(folder.write("events", bytes).string()); };
  EXPECT_THAT(read(framed(version_event(1)) + one + two), ElementsAre(Pair(7, "a"), Pair(7, "b"), Pair(1000000, "c")));
  for (size_t size = 0; size < two.size(); ++size)
    EXPECT_THAT(read(one + two.substr(0, size)), ElementsAre(Pair(7, "a"), Pair(7, "b"))) << size;
  auto damaged = one;
  damaged[damaged.size() / 2] ^= 1;
  EXPECT_THAT(read(damaged + two), IsEmpty());
}

RunInfo run_in(const std::filesystem::path& folder, int attempt) {
  return {folder.string(), "quickstart", "positional=alibi", "ab", attempt};
}
json step(int at, json loss) {
  return {{"type", "step"},
          {"step", at},
          {"loss", loss},
          {"lr", 0.1},
          {"metrics", {{"mle.accuracy", 0.5}}},
          {"measured", {{"time", 100.0 + at}, {"seconds", at}, {"tokens_per_second", 1000.0}}}};
}
json evaluation(int at) {
  return {{"type", "evaluate"},
          {"step", at},
          {"label", "lm"},
          {"measured", {{"time", 110.0}, {"seconds", 7.0}}},
          {"metrics",
           {{{"name", "nll"}, {"value", 2.5}, {"coordinates", {{"length", 64}, {"stride", 32}}}},
            {{"name", "perplexity"}, {"value", "Infinity"}, {"coordinates", {{"length", 64}}}},
            {{"name", "perplexity"}, {"value", nullptr}, {"coordinates", json::object()}}}}};
}
void send(Tracker& tracker, const json& event) { tracker.on(event["type"].get<std::string>(), event.dump()); }

TEST(TensorBoard, EveryAttemptHasItsFileAndRepeatsNothing) {
  const TemporaryFolder folder;
  const auto file = [&](int attempt) {
    return folder / ("events.out.tfevents.000000000" + std::to_string(attempt) + ".assay");
  };
  {
    const auto tracker = make<Tracker>("tensorboard");
    tracker->open(run_in(folder.path(), 1));
    for (const auto& event : {json{{"type", "start"}, {"measured", {{"time", 100.0}, {"seconds", 0.5}}}}, step(1, 3.0),
                              step(2, nullptr), evaluation(2), step(3, 1.0)})
      send(*tracker, event);
    // The event is on disk when on() returns.
    EXPECT_THAT(
        scalars_in(file(1)),
        ElementsAre(Pair(1, "train/loss"), Pair(1, "train/lr"), Pair(1, "train/mle.accuracy"),
                    Pair(1, "train/tokens_per_second"), Pair(2, "train/lr"), Pair(2, "train/mle.accuracy"),
                    Pair(2, "train/tokens_per_second"), Pair(2, "lm/nll@length=64,stride=32"), Pair(3, "train/loss"),
                    Pair(3, "train/lr"), Pair(3, "train/mle.accuracy"), Pair(3, "train/tokens_per_second")));
    // The Python server drops nothing at the first session start that it reads, so the first file has one.
    EXPECT_THAT(content(file(1)), StartsWith(framed(version_event(100)) + framed(start_event(100, 0))));
    EXPECT_THAT(content(file(1)), HasSubstr(scalars_event(101, 1, {{"train/loss", 3.0}}).substr(0, 11)));
    EXPECT_THAT(content(file(1)), HasSubstr(framed(scalars_event(110, 2, {{"lm/nll@length=64,stride=32", 2.5}}))));
  }
  const auto tracker = make<Tracker>("tensorboard");
  tracker->open(run_in(folder.path(), 2));
  for (const auto& event : {json{{"type", "start"}, {"from", 2}, {"measured", {{"time", 200.0}, {"seconds", 0.5}}}},
                            evaluation(2), step(3, 1.0), json{{"type", "end"}}})
    send(*tracker, event);
  // Steps from 3 on are dropped.
  EXPECT_THAT(content(file(2)), StartsWith(framed(version_event(200)) + framed(start_event(200, 3))));
  EXPECT_THAT(scalars_in(file(2)), ElementsAre(Pair(3, "train/loss"), Pair(3, "train/lr"),
                                               Pair(3, "train/mle.accuracy"), Pair(3, "train/tokens_per_second")));
}

TEST(TensorBoard, ReportsWhatItCannotWrite) {
  const TemporaryFolder folder;
  folder.write("taken", "a file");
  const auto tracker = make<Tracker>("tensorboard", {{"folder", "taken"}});
  try {
    tracker->open(run_in(folder.path(), 1));
    FAIL() << "opened";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("cannot create"), HasSubstr("taken")));
  }
  EXPECT_THROW(make<Tracker>("tensorboard", {{"folder", ""}}), PluginError);
}

}  // namespace
}  // namespace assay::testing
