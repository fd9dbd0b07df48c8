// Properties of a valid experiment: equal runs write equal bytes, evaluation works beyond the training length, tables
// agree with the records, and finished runs are not repeated.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "e2e/programs.h"
#include "unit/source_folder.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kTwoSchemes = R"(
[[sweep]]
[sweep.grid]
positional = ["none", "alibi"]
)";

json metric_of(const json& record, const std::string& name, int length) {
  for (const auto& metric : record.at("metrics"))
    if (metric.at("name") == name && metric.at("coordinates").at("length") == length) return metric;
  return nullptr;
}

class GoodRuns : public testing::Programs {
 protected:
  json lm_record(const json& line) {
    return read_json(experiment().run(line["train_id"]).eval_record(line["evaluate"][0]["id"]));
  }
};

// The record has one row per document, and the losses of the rows add up to the metric, in blocks and in sliding
// windows.
TEST_F(GoodRuns, KeepTheLossOfEveryDocument) {
  write_experiment("strides = [8]\n");
  std::string text;
  for (int i = 0; i < 200; ++i) text += "paragraph " + std::to_string(i) + "\n\n";
  write_corpus(text);
  ASSERT_EQ(call("run experiments/tiny.toml data.dataset.document=\"paragraph\""), 0) << err_;
  const auto record = lm_record(plan()[0]);
  ASSERT_EQ(record["examples"].size(), 19u);  // a tenth of the text, in whole lines: paragraphs 162 to 180
  std::map<std::string, double> sums;
  for (const auto& row : record["examples"]) {
    EXPECT_EQ(row["numbers"]["bytes"], row["numbers"]["tokens"].get<double>() - 1);
    for (const auto& [name, value] : row["numbers"].items()) sums[name] += value.get<double>();
  }
  for (const auto& metric : record["metrics"]) {
    if (metric["name"] != "nll") continue;
    const auto& at = metric["coordinates"];
    const auto name =
        "nll@length=" + at["length"].dump() + (at.contains("stride") ? ",stride=" + at["stride"].dump() : "");
    ASSERT_EQ(sums.count(name), 1u) << name;
    EXPECT_NEAR(sums[name], metric["sum"].get<double>(), 1e-9 * sums[name]);
  }
  EXPECT_EQ(sums.size(), 2 + 4u);
}

class EqualRuns : public GoodRuns, public ::testing::WithParamInterface<int> {};

TEST_P(EqualRuns, WriteEqualBytesOutsideMeasured) {
  write_experiment("[resources]\nmesh = { tensor = " + std::to_string(GetParam()) + " }\n" + kTwoSchemes);
  ASSERT_EQ(call("run experiments/tiny.toml --jobs 2 model.dropout=0.1", "first"), 0) << err_;
  ASSERT_EQ(call("run experiments/tiny.toml --jobs 2 model.dropout=0.1", "second"), 0) << err_;
  EXPECT_EQ(records("first").size(), 4u);  // two runs of a training and an evaluation
  EXPECT_EQ(records("first"), records("second"));
  EXPECT_EQ(base::read_file(experiment("first").plan()), base::read_file(experiment("second").plan()));
  for (const auto& line : plan("first")) {
    auto first = read_events(experiment("first").run(line["train_id"]));
    auto second = read_events(experiment("second").run(line["train_id"]));
    ASSERT_EQ(first.size(), second.size());
    EXPECT_EQ(first.front()["type"], "start");
    EXPECT_EQ(first.back()["type"], "end");
    for (size_t i = 0; i < first.size(); ++i)
      EXPECT_EQ(without_measured(first[i]).dump(), without_measured(second[i]).dump());
  }
  // The comparison is not trivial: the two schemes differ.
  EXPECT_NE(read_json(run_of("positional=none", "first").train_record())["metrics"],
            read_json(run_of("positional=alibi", "first").train_record())["metrics"]);
}

INSTANTIATE_TEST_SUITE_P(TensorRanks, EqualRuns, ::testing::Values(1, 2));

TEST_F(GoodRuns, EvaluationReachesBeyondTraining) {
  write_experiment(kTwoSchemes, "[16, 64, 300]");
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  // A tenth of the lines is the validation split; its bytes and the end of the document are predicted.
  const double bytes = kLines / 10.0 * kLineBytes, tokens = bytes + 1;
  std::vector<double> values;
  for (const auto& line : plan()) {
    const auto record = lm_record(line);
    EXPECT_EQ(record["step"], 6);
    for (const int length : {16, 64, 300}) {
      const double nll = metric_of(record, "nll", length).at("value");
      EXPECT_GT(nll, 1.0);
      EXPECT_LT(nll, std::log(257.0) + 0.5);
      values.push_back(nll);
      EXPECT_EQ(metric_of(record, "tokens", length).at("value"), tokens);
      EXPECT_NEAR(metric_of(record, "bits_per_byte", length).at("value"), nll * tokens / bytes / std::log(2.0), 1e-9);
      EXPECT_NEAR(metric_of(record, "perplexity", length).at("value"), std::exp(nll), 1e-6);
    }
  }
  std::sort(values.begin(), values.end());
  EXPECT_EQ(std::unique(values.begin(), values.end()), values.end());  // the value differs for every length and scheme
}

// Returns the cells of the line of a text or Markdown table that begins with these words.
std::string line_with(const std::string& text, const std::string& words) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find(words) != std::string::npos) return line;
  return "";
}

TEST_F(GoodRuns, AllFormatsAgreeWithTheRecords) {
  write_experiment(kTwoSchemes, "[16]");
  ASSERT_EQ(call("run experiments/tiny.toml --jobs 2 experiment.seeds=[1,2]"), 0) << err_;
  const std::string metric = "lm.nll@length=16", words = "compare tiny --metric " + metric + " --format ";
  std::map<std::string, std::vector<double>> values;
  for (const auto& line : plan()) values[line["label"]].push_back(metric_of(lm_record(line), "nll", 16).at("value"));
  ASSERT_EQ(call(words + "json"), 0) << err_;
  const auto document = json::parse(out_);
  std::map<std::string, std::string> formats;
  for (const char* format : {"text", "md", "csv"}) {
    ASSERT_EQ(call(words + format), 0) << err_;
    formats[format] = out_;
  }
  ASSERT_EQ(document.at("rows").size(), 2u);
  for (const auto& row : document.at("rows")) {
    const std::string label = row.at("label");
    const auto& of_seeds = values.at(label);
    ASSERT_EQ(of_seeds.size(), 2u);
    const double mean = (of_seeds[0] + of_seeds[1]) / 2;
    // The half-width is Student's t quantile (97.5%, one degree of freedom) times the standard error of two values.
    const double half_width = 12.706204736 * std::abs(of_seeds[0] - of_seeds[1]) / 2;
    const auto& cell = row.at("cells").at(0);
    EXPECT_EQ(cell.at("column"), metric);
    EXPECT_NEAR(cell.at("mean"), mean, 1e-12);
    EXPECT_NEAR(cell.at("half_width"), half_width, 1e-8);
    EXPECT_EQ(cell.at("count").at("n"), 2);

    std::istringstream fields(line_with(formats["csv"], label));
    std::vector<std::string> csv;
    for (std::string field; std::getline(fields, field, ',');) csv.push_back(field);
    ASSERT_GE(csv.size(), 14u);  // label, axis, baseline, 8 counts, mean, half-width, n, and the fixed columns
    EXPECT_EQ(std::stod(csv[11]), cell.at("mean").get<double>());
    EXPECT_EQ(std::stod(csv[12]), cell.at("half_width").get<double>());
    EXPECT_EQ(csv[13], "2");

    for (const char* format : {"text", "md"}) {
      const auto line = line_with(formats[format], label);
      const auto sign = line.find(" ± ");
      ASSERT_NE(sign, std::string::npos) << line;
      const auto begin = line.find_last_of(" |", sign - 1) + 1;
      const auto shown = line.substr(begin, sign - begin);
      const auto shown_half = std::stod(line.substr(sign + std::string(" ± ").size()));
      EXPECT_NEAR(shown_half, half_width, 0.05 * half_width) << line;  // two digits
      const auto dot = shown.find('.');
      const double unit = dot == std::string::npos ? 1 : std::pow(10.0, -static_cast<double>(shown.size() - dot - 1));
      EXPECT_NEAR(std::stod(shown), mean, 0.5000001 * unit) << line;
    }
  }
}

TEST_F(GoodRuns, OneMoreLengthKeepsTheTrainingRecords) {
  write_experiment(kTwoSchemes, "[16]");
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  const auto before = plan();
  const auto old_records = files_below(experiment().folder() / "runs");
  write_experiment(kTwoSchemes, "[16, 32]");
  ASSERT_EQ(call("run experiments/tiny.toml --dry-run"), 0) << err_;
  EXPECT_THAT(err_, HasSubstr("2 of 2 runs have no complete record"));
  ASSERT_EQ(call("run experiments/tiny.toml"), 0) << err_;
  const auto after = plan();
  for (size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i]["train_id"], before[i]["train_id"]);
    EXPECT_NE(after[i]["evaluate"][0]["id"], before[i]["evaluate"][0]["id"]);
    const auto run = experiment().run(after[i]["train_id"]);
    const auto old_evaluation = read_json(run.eval_record(before[i]["evaluate"][0]["id"]));
    EXPECT_EQ(metric_of(lm_record(after[i]), "nll", 16), metric_of(old_evaluation, "nll", 16));
    EXPECT_TRUE(metric_of(old_evaluation, "nll", 32).is_null());
    EXPECT_FALSE(metric_of(lm_record(after[i]), "nll", 32).is_null());
    for (const auto& event : read_events(run)) {  // evaluated from the kept weights
      EXPECT_FALSE(event["attempt"] == 2 && event["type"] == "step") << event;
    }
  }
  const auto new_records = files_below(experiment().folder() / "runs");
  for (const auto& [name, text] : old_records) {
    const bool is_record = name.ends_with("train.json") || name.find("/eval/") != std::string::npos;
    if (!is_record) continue;
    EXPECT_EQ(new_records.at(name), text) << name;  // equal measured values: the file was not written again
  }
  // The first plan has all of its records, so nothing is left to do. With one more seed, only that seed is run.
  write_experiment(kTwoSchemes, "[16]");
  EXPECT_EQ(call("run experiments/tiny.toml"), 0);
  EXPECT_THAT(err_, HasSubstr("0 done, 2 already complete"));
  EXPECT_EQ(call("run experiments/tiny.toml experiment.seeds=[1,2] --dry-run"), 0);
  EXPECT_THAT(err_, AllOf(HasSubstr("2 of 4 runs have no complete record"), HasSubstr("seed=2")));
}

// Token ids depend on which code points are letters, so the record names the Unicode version.
TEST_F(GoodRuns, RecordTheUnicodeVersionOfTheirTokenIds) {
  write_experiment();
  const auto file = folder_ / "experiments/tiny.toml";
  const auto smoke = testing::source_folder() / "plugins/tokenizer/bpe/smoke";
  auto text = base::read_file(file);
  const std::string bytes = "\"bytes\"";
  text.replace(text.find(bytes), bytes.size(),
               "{ use = \"bpe\", encoder = \"" + (smoke / "encoder.json").string() + "\", merges = \"" +
                   (smoke / "vocab.bpe").string() + "\" }");
  folder_.write("experiments/tiny.toml", text);
  ASSERT_EQ(call("run experiments/tiny.toml train.steps=1"), 0) << err_;
  const auto data = read_json(experiment().run(plan()[0]["train_id"]).train_record())["data"];
  ASSERT_EQ(data.size(), 2u) << data;
  EXPECT_EQ(data[1], (nlohmann::json{{"name", "Unicode 16.0.0 letters, numbers and white space"},
                                     {"sha256", "f5e274c899d78a043b10fe35f199bddc26f69e692616de581b591ab309b9644d"},
                                     {"licence", "Unicode-3.0"}}));
}

}  // namespace
}  // namespace assay
