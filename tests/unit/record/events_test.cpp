// The events of runs that were killed and resumed, as readers see them.
#include "record/events.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

std::vector<std::string> summary(const std::vector<json>& events) {
  std::vector<std::string> texts;
  for (const auto& event : events)
    texts.push_back(event["type"].get<std::string>() + (event.contains("step") ? event["step"].dump() : "") + "/" +
                    event["attempt"].dump());
  return texts;
}

TEST(EventWriter, AttemptAndTypeComeFirst) {
  const testing::TemporaryFolder folder;
  EventWriter(folder / "e", 3).write("step", {{"loss", 2.5}, {"attempt_note", "x"}, {"step", 10}});
  EXPECT_EQ(base::read_file(folder / "e"),
            "{\"attempt\":3,\"type\":\"step\",\"attempt_note\":\"x\",\"loss\":2.5,\"step\":10}\n");
}

TEST(EventWriter, EndsATruncatedLineFirst) {
  const testing::TemporaryFolder folder;
  folder.write("e", "{\"attempt\":1,\"type\":\"start\"}\n{\"attempt\":1,\"ty");
  {
    EventWriter writer(folder / "e", 2);
    writer.write("start", json::object());
    writer.write("end", json::object());
  }
  EXPECT_EQ(base::read_file(folder / "e"),
            "{\"attempt\":1,\"type\":\"start\"}\n{\"attempt\":1,\"ty\n{\"attempt\":2,\"type\":\"start\"}\n"
            "{\"attempt\":2,\"type\":\"end\"}\n");
  EXPECT_THAT(summary(read_events(folder / "e")), ElementsAre("start/2", "end/2"));
}

TEST(EventWriter, AppendsToCompleteLines) {
  const testing::TemporaryFolder folder;
  { EventWriter(folder / "e", 1).write("start", json::object()); }
  { EventWriter(folder / "e", 1).write("end", json::object()); }
  EXPECT_EQ(base::read_file(folder / "e"), "{\"attempt\":1,\"type\":\"start\"}\n{\"attempt\":1,\"type\":\"end\"}\n");
}

TEST(EventWriter, TakesAnyBytesAndNumbers) {
  const testing::TemporaryFolder folder;
  EventWriter(folder / "e", 1).write("error", {{"text", "bad \xff byte\nline"}, {"loss", std::nan("")}});
  const auto events = read_events(folder / "e");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0]["loss"].is_null());
  EXPECT_THAT(events[0]["text"].get<std::string>(), ::testing::EndsWith(" byte\nline"));
}

TEST(EventWriter, NamesTheFileThatCannotBeWritten) {
  try {
    EventWriter("/nowhere/events.jsonl", 1);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("/nowhere/events.jsonl"));
  }
}

TEST(ReadEvents, ALaterStartSupersedesEventsBeyondIt) {
  const testing::TemporaryFolder folder;
  folder.write("e", R"({"attempt":1,"type":"start"}
{"attempt":1,"type":"step","step":10,"loss":3}
{"attempt":1,"type":"step","step":20,"loss":2.5}
{"attempt":1,"type":"evaluate","step":20,"label":"lm"}
{"attempt":1,"type":"step","step":30,"loss":9}
{"attempt":1,"type":"error","text":"killed"}
{"attempt":2,"type":"start","from":20}
{"attempt":2,"type":"step","step":30,"loss":2.25}
{"attempt":2,"type":"end"}
)");
  EXPECT_THAT(summary(read_events(folder / "e")),
              ElementsAre("step10/1", "step20/1", "evaluate20/1", "start/2", "step30/2", "end/2"));
  EXPECT_EQ(next_attempt(folder / "e"), 3);
}

TEST(ReadEvents, AFreshStartSupersedesEverything) {
  const testing::TemporaryFolder folder;
  folder.write("e", R"({"attempt":1,"type":"start"}
{"attempt":1,"type":"step","step":40}
{"attempt":1,"type":"end"}
{"attempt":2,"type":"start"}
{"attempt":2,"type":"step","step":10}
)");
  EXPECT_THAT(summary(read_events(folder / "e")), ElementsAre("start/2", "step10/2"));
}

// Training was repeated and gave other weights: the curve in force is still that of the first attempt.
TEST(ReadEvents, ARefusedAttemptSupersedesNothing) {
  const testing::TemporaryFolder folder;
  folder.write("e", R"({"attempt":1,"type":"start"}
{"attempt":1,"type":"step","step":10,"loss":3}
{"attempt":1,"type":"evaluate","step":10,"label":"lm"}
{"attempt":1,"type":"end"}
{"attempt":2,"type":"start"}
{"attempt":2,"type":"step","step":10,"loss":3.5}
{"attempt":2,"type":"evaluate","step":10,"label":"lm"}
{"attempt":2,"type":"error","class":"user","text":"other weights","refused":true}
)");
  EXPECT_THAT(summary(read_events(folder / "e")),
              ElementsAre("start/1", "step10/1", "evaluate10/1", "end/1", "error/2"));
  EXPECT_EQ(next_attempt(folder / "e"), 3);
}

TEST(ReadEvents, TwoEvaluationsOfOneStepStay) {
  const testing::TemporaryFolder folder;
  folder.write("e", R"({"attempt":1,"type":"evaluate","step":5,"label":"lm"}
{"attempt":1,"type":"evaluate","step":5,"label":"fim"}
)");
  EXPECT_EQ(read_events(folder / "e").size(), 2u);
}

TEST(ReadEvents, SkipsInvalidLinesAndMissingFiles) {
  const testing::TemporaryFolder folder;
  folder.write(
      "e",
      "\n[1]\nnull\n{\"attempt\":\"1\",\"type\":\"step\"}\n{\"type\":\"step\"}\n{\"attempt\":1,\"type\":\"end\"}\n");
  EXPECT_THAT(summary(read_events(folder / "e")), ElementsAre("end/1"));
  EXPECT_TRUE(read_events(folder / "none").empty());
  EXPECT_EQ(next_attempt(folder / "none"), 1);
}

TEST(EventTail, GivesEachCompleteLineOnce) {
  const testing::TemporaryFolder folder;
  EventTail tail(folder / "e", EventTail::From::kBegin);
  EXPECT_TRUE(tail.poll().empty());
  folder.write("e", "{\"attempt\":1,\"type\":\"start\"}\n{\"attempt\":1,");
  EXPECT_THAT(summary(tail.poll()), ElementsAre("start/1"));
  EXPECT_TRUE(tail.poll().empty());
  std::ofstream(folder / "e", std::ios::app) << "\"type\":\"end\"}\n";
  EXPECT_THAT(summary(tail.poll()), ElementsAre("end/1"));
  EXPECT_TRUE(EventTail(folder / "e", EventTail::From::kEnd).poll().empty());
}

}  // namespace
}  // namespace assay::record
