// The JSON of records and states, key by key.
#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/files.h"
#include "record/eval_record.h"
#include "record/metric.h"
#include "record/plan_line/plan_lines.h"
#include "record/state.h"
#include "record/train_record.h"
#include "unit/plan_line.h"
#include "unit/temporary_folder.h"

namespace assay::record {
namespace {

using nlohmann::json;

PlanLine plan_line() {
  return testing::plan_line(
      json::parse(R"({"experiment":"quick","train_id":"t1","group":"g1","label":"positional=alibi","seed":2,
    "train":{"train":{"steps":4,"precision":"fp32"},"model":{"use":"gpt"}},
    "evaluate":[{"id":"e1","label":"lm","every":0,"config":{"use":"lm","decoder":{"use":"greedy"}},"split":"test"}],
    "budget":{"kind":"tokens","target":1000},"resources":{"mesh":{"tensor":2,"data":3,"backend":"threads"},"threads":4},
    "plugins":{"positional/alibi":{"plugin":"alibi","version":"1","file":"/x/alibi.so","sha256":"aa","build_id":"bb","roles":["train"]},
      "evaluator/lm":{"plugin":"lm","version":"1","file":"/x/lm.so","sha256":"cc","build_id":"dd","roles":["evaluate"]},
      "evaluator/fim":{"plugin":"fim","version":"1","file":"/x/fim.so","sha256":"ee","build_id":"ff","roles":["evaluate"]},
      "decoder/greedy":{"plugin":"greedy","version":"1","file":"/x/g.so","sha256":"gg","build_id":"hh","roles":["evaluate"]},
      "tracker/jsonl":{"plugin":"jsonl","version":"1","file":"/x/j.so","sha256":"ii","build_id":"jj","roles":["watch"]}},
    "source":{"file":"quick.toml","sha256":"ss","git_commit":"c0ffee","git_dirty":""}})"));
}

TrainResult result() {
  TrainResult result;
  result.steps = 4;
  result.tokens = 8192;
  result.parameters = 1000;
  result.flops_six_nd = 6.0 * 1000 * 8192;
  result.metrics = {{.name = "loss", .value = 2.5, .sum = 5, .weight = 2, .unit = "nats", .direction = "lower"}};
  result.training_code = "0123";
  result.libtorch = "2.11.0";
  result.device = "cpu";
  result.data = {{"austen", "dd", "public domain"}};
  result.measured.seconds = 1.5;
  return result;
}

TEST(TrainRecord, MatchesTheSchema) {
  ::setenv("ASSAY_JOBS", "3", 1);
  const auto record = train_record(plan_line(), result());
  ::unsetenv("ASSAY_JOBS");
  EXPECT_EQ(record["schema"], 1);
  EXPECT_EQ(record["train_id"], "t1");
  EXPECT_EQ(record["group"], "g1");
  EXPECT_EQ(record["seed"], 2);
  EXPECT_EQ(record["experiment"], "quick");
  EXPECT_EQ(record["config"], plan_line().train.to_json());
  EXPECT_EQ(record["budget"], json::parse(R"({"kind":"tokens","target":1000,"actual":8192})"));
  EXPECT_EQ(record["flops"], json::parse(R"({"six_nd":49152000.0})"));
  EXPECT_EQ(
      record["metrics"][0],
      json::parse(
          R"({"name":"loss","value":2.5,"sum":5.0,"weight":2.0,"unit":"nats","direction":"lower","coordinates":{}})"));
  EXPECT_EQ(record["code"], json::parse(R"({"training":"0123","plugins":{"positional/alibi":
            {"plugin":"alibi","version":"1","sha256":"aa","build_id":"bb"}}})"));
  EXPECT_EQ(record["source"],
            json::parse(R"({"file":"quick.toml","sha256":"ss","git_commit":"c0ffee","git_dirty":""})"));
  EXPECT_EQ(record["data"], json::parse(R"([{"name":"austen","sha256":"dd","licence":"public domain"}])"));
  EXPECT_EQ(record["environment"]["precision"], "fp32");
  EXPECT_EQ(record["environment"]["mesh"], plan_line().resources.mesh.to_json());
  EXPECT_EQ(record["measured"]["concurrent_jobs"], 3);
  EXPECT_EQ(record["measured"]["host"], host_name());
}

TEST(TrainRecord, NamesTheGpu) {
  auto trained = result();
  EXPECT_FALSE(train_record(plan_line(), trained)["environment"].contains("gpu"));
  trained.device = "cuda:0";
  trained.gpu = {{"name", "GPU X"}, {"driver", "13.0"}};
  const auto record = train_record(plan_line(), trained);
  EXPECT_EQ(record["environment"]["device"], "cuda:0");
  EXPECT_EQ(record["environment"]["gpu"], json::parse(R"({"name":"GPU X","driver":"13.0"})"));
}

TEST(TrainRecord, EqualOutsideMeasured) {
  auto slower = result();
  slower.measured = {.seconds = 9,
                     .train_seconds = 8,
                     .startup_seconds = 1,
                     .tokens_per_second = 3,
                     .peak_memory_bytes = 7,
                     .started = "2020-01-01T00:00:00Z"};
  auto a = train_record(plan_line(), result()), b = train_record(plan_line(), slower);
  EXPECT_NE(a.dump(), b.dump());
  EXPECT_EQ(b["measured"]["tokens_per_second"], 3);
  slower.measured.tokens_per_second = 0;  // no training
  EXPECT_FALSE(train_record(plan_line(), slower)["measured"].contains("tokens_per_second"));
  a.erase("measured");
  b.erase("measured");
  EXPECT_EQ(a.dump(), b.dump());
}

// A record that is truncated anywhere counts as absent, and so does one of zeros; a record without the last line feed
// is complete.
TEST(TrainRecord, IsPresentWhenItIsComplete) {
  const testing::TemporaryFolder folder;
  const auto text = train_record(plan_line(), result()).dump() + "\n";
  const RunLayout run(folder.path());
  EXPECT_FALSE(has_record(run.train_record()));
  for (size_t size = 0; size + 1 < text.size(); ++size) {
    folder.write("train.json", text.substr(0, size));
    ASSERT_FALSE(has_record(run.train_record())) << size << " of " << text.size() << " bytes";
  }
  folder.write("train.json", std::string(text.size(), '\0'));
  EXPECT_FALSE(has_record(run.train_record()));
  for (const auto& whole : {text, text.substr(0, text.size() - 1)}) {
    folder.write("train.json", whole);
    EXPECT_TRUE(has_record(run.train_record()));
  }
  const auto line = testing::plan_line({{"evaluate", {{{"id", "e"}}}}});
  folder.write("eval/e.json", "{\"schema\":1}\n");
  EXPECT_TRUE(has_all_records(line, run));
  folder.write("eval/e.json", "{\"schema\":");
  EXPECT_FALSE(has_all_records(line, run));
}

TEST(EvalRecord, NamesItsOwnPluginsOnly) {
  EvalResult evaluated;
  evaluated.step = 4;
  evaluated.metrics = {{.name = "bits_per_byte", .value = 2, .coordinates = {{"length", 512}, {"rate", 0.5}}},
                       {.name = "perplexity", .value = std::numeric_limits<double>::infinity(), .sum = 800},
                       {.name = "ratio", .value = -std::numeric_limits<double>::infinity()},
                       {.name = "nll", .value = std::nan(""), .sum = std::nan("")},
                       {.name = "beyond", .value = std::nan(""), .sum = 0}};
  evaluated.examples = {{"one.txt", {{"nll", 2.5}}, {}}, {"two.txt", {{"nll", 3}}, {{"text", "a"}}}};
  const auto record = eval_record(plan_line(), plan_line().evaluate[0], evaluated);
  EXPECT_EQ(record["eval_id"], "e1");
  EXPECT_EQ(record["split"], "test");
  EXPECT_EQ(record["metrics"][0]["coordinates"].dump(), R"({"length":512,"rate":0.5})");
  EXPECT_EQ(record["examples"].dump(), R"([{"id":"one.txt","numbers":{"nll":2.5}},)"
                                       R"({"id":"two.txt","numbers":{"nll":3.0},"texts":{"text":"a"}}])");
  EXPECT_EQ(record["code"]["evaluator"].size(), 2u);
  EXPECT_TRUE(record["code"]["evaluator"].contains("evaluator/lm"));
  EXPECT_TRUE(record["code"]["evaluator"].contains("decoder/greedy"));
  // JSON has no non-finite numbers: a string represents them, and null means that a value does not apply.
  const auto read = json::parse(record.dump())["metrics"];
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(read[1]["value"], "Infinity");
  EXPECT_EQ(number_or_nan(read[1]["value"]), infinity);
  EXPECT_EQ(number_or_nan(read[2]["value"]), -infinity);
  EXPECT_EQ(read[3]["value"], "NaN");
  EXPECT_TRUE(std::isnan(number_or_nan(read[3]["value"])));
  EXPECT_TRUE(read[4]["value"].is_null());
  for (const size_t recorded : {0, 1, 2, 3}) EXPECT_TRUE(is_applicable(read[recorded])) << recorded;
  EXPECT_FALSE(is_applicable(read[4]));
}

TEST(WriteRecord, OnceAndWithItsFolders) {
  const testing::TemporaryFolder folder;
  write_record(folder / "eval/e1.json", {{"a", 1}});
  EXPECT_EQ(base::read_file(folder / "eval/e1.json"), "{\"a\":1}\n");
  EXPECT_THROW(write_record(folder / "eval/e1.json", {{"a", 2}}), Bug);
  write_record(folder / "eval/e2.json", {{"text", "\xff"}});  // text from a model need not be UTF-8
  EXPECT_EQ(base::read_file(folder / "eval/e2.json"), "{\"text\":\"\xef\xbf\xbd\"}\n");
}

TEST(Files, PartialFilesOfKilledProcessesAreDeleted) {
  const testing::TemporaryFolder folder;
  const auto aged = [&](const std::string& name, int hours) {
    const auto file = folder.write(name, "half");
    std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(hours));
    return file;
  };
  const auto gone = aged("state.json.part999999999.1", 2), elsewhere = aged("x.tokens.part999999999.1", 0);
  const auto ours = aged("y.tokens.part" + std::to_string(::getpid()) + ".3", 2), no_part = aged("notes.party", 2);
  base::remove_abandoned(folder.path());
  base::remove_abandoned(folder / "none");
  EXPECT_FALSE(std::filesystem::exists(gone));
  for (const auto& file : {elsewhere, ours, no_part}) EXPECT_TRUE(std::filesystem::exists(file)) << file;
}

TEST(State, RoundTrips) {
  const testing::TemporaryFolder folder;
  State state;
  state.status = RunStatus::kFailed;
  state.attempt = 2;
  state.pid = 77;
  state.signal = 9;
  state.reason = "two\nlines";
  state.failure_class = "signal";
  write_state(folder / "s", state);
  EXPECT_EQ(
      base::read_file(folder / "s"),
      "{\"attempt\":2,\"class\":\"signal\",\"pid\":77,\"reason\":\"two lines\",\"signal\":9,\"status\":\"failed\"}\n");
  const auto read = read_state(folder / "s");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->attempt, 2);
  EXPECT_EQ(read->signal, 9);
  EXPECT_FALSE(read->exit_code);
  EXPECT_EQ(read->reason, "two lines");
}

TEST(State, AbsentOrCorruptIsNothing) {
  const testing::TemporaryFolder folder;
  EXPECT_FALSE(read_state(folder / "none"));
  for (const char* text :
       {"", "{", "[]", "{}", "{\"status\":1}", "{\"status\":\"asleep\"}", "{\"status\":\"done\",\"attempt\":\"x\"}"})
    EXPECT_FALSE(read_state(folder.write("s", text))) << text;
}

TEST(PlanFile, CountCoresAndMissingRecords) {
  const testing::TemporaryFolder folder;
  const RunLayout run(folder.path());
  EXPECT_EQ(plan_line().resources.cores(), 24);
  EXPECT_FALSE(has_all_records(plan_line(), run));
  folder.write("train.json", "{}");
  EXPECT_FALSE(has_all_records(plan_line(), run));
  folder.write("eval/e1.json", "{}");
  EXPECT_TRUE(has_all_records(plan_line(), run));
}

TEST(PlanFile, BadLinesAreNamed) {
  const testing::TemporaryFolder folder;
  const auto message = [&](const std::string& text) {
    try {
      read_plan_lines(folder.write("plan.jsonl", text));
      return std::string("accepted");
    } catch (const UserError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(message(plan_line().text() + "\n\n" + plan_line().text()), "accepted");
  EXPECT_THAT(message(plan_line().text() + "\n{\"schema\":1}\n"),
              ::testing::HasSubstr("plan.jsonl:2: the line is not a valid plan line"));
  EXPECT_THAT(message("{\"schema\":2,\"train_id\":\"a\",\"group\":\"b\"}"),
              ::testing::HasSubstr("plan.jsonl:1: the plan has schema 2"));
  auto other = plan_line().to_json();
  other["seed"] = "one";
  EXPECT_THAT(message(plan_line().text() + "\n\n" + other.dump() + "\n"),
              ::testing::EndsWith("plan.jsonl:3: seed must be an integer, but is \"one\"; run 'assay run' on the "
                                  "experiment's TOML to write the plan again"));
}

}  // namespace
}  // namespace assay::record
