// Scaling laws of runs that were trained: what `scaling fit` reads from records, and what `scaling plan` says of runs.
#include <gmock/gmock.h>

#include <iomanip>
#include <sstream>

#include "e2e/programs.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

// A schedule in steps is longer than any placeholder for the steps that a budget becomes.
class ScalingBudget : public testing::Programs {};

TEST_F(ScalingBudget, InFlopsWithAWarmUpInSteps) {
  write_experiment();
  ASSERT_EQ(call("run experiments/tiny.toml scheduler.use=wsd 'scheduler.warmup=5 steps' train.flops=1e9"), 0) << err_;
  const auto record = read_json(experiment().run(plan()[0]["train_id"]).train_record());
  const auto steps = record["steps"].get<int64_t>(), tokens = record["tokens"].get<int64_t>();
  EXPECT_GT(steps, 5);
  EXPECT_EQ(steps,
            static_cast<int64_t>(1e9 / 6 / record["parameters"].get<double>() / static_cast<double>(tokens / steps)));
}

class Scaling : public testing::Programs {
 protected:
  // Three sizes of three lengths, without and with ALiBi.
  Scaling() {
    write_experiment(R"([[sweep]]
[sweep.grid]
positional = ["none", "alibi"]
[sweep.ladder]
sizes = { model.layers = [1, 2, 3] }
steps = [2, 4, 8]
[compare]
baseline = { positional = "none" }
[scaling]
metric = "lm.nll@length=16"
by = ["positional"]
bootstrap = 20
seed = 1
grid = { alpha = [0.5], beta = [0.5], e = [0.5], a = [0, 5], b = [0, 5] }
)",
                     "[16]");
    EXPECT_EQ(call("run experiments/tiny.toml --jobs 2"), 0) << err_;
  }

  // The table of a group's runs, read from the records alone.
  std::string csv_of(const std::string& positional) {
    std::string text = "N,D,loss\n";
    for (const auto& line : plan()) {
      if (line["axes"]["positional"] != positional) continue;
      const auto run = experiment().run(line["train_id"]);
      const auto record = read_json(run.train_record()),
                 evaluated = read_json(run.eval_record(line["evaluate"][0]["id"]));
      for (const auto& metric : evaluated["metrics"])
        if (metric["name"] == "nll")
          text += record["parameters"].dump() + "," + record["tokens"].dump() + "," + metric["value"].dump() + "\n";
    }
    return text;
  }

  static std::string short_number(double value) {
    std::ostringstream text;
    text << ' ' << std::setprecision(4) << value << ' ';
    return text.str();
  }

  // The values of the fit that was printed as JSON, by name.
  std::map<std::string, nlohmann::json> values(const std::string& group) {
    std::map<std::string, nlohmann::json> found;
    const auto printed = nlohmann::json::parse(out_);
    for (auto one : printed["quantities"])
      if (one.value("runs", "") == group) {
        one.erase("runs");
        found[one["approach"].get<std::string>() + " " + one["quantity"].get<std::string>()] = one;
      }
    return found;
  }
};

TEST_F(Scaling, AFitOfRecordsIsThatOfTheirTable) {
  ASSERT_EQ(call("scaling fit experiments/tiny.toml --format json"), 0) << err_;
  const auto printed = out_;
  ASSERT_EQ(call("scaling fit experiments/tiny.toml --format csv --reference"), 0) << err_;
  EXPECT_EQ(base::read_file(experiment().reference() / "scaling.csv"), out_);
  EXPECT_THAT(base::read_file(experiment().reference() / "scaling.md"), HasSubstr("| positional=alibi | parametric |"));
  out_ = printed;
  const auto none = values("positional=none"), alibi = values("positional=alibi");
  EXPECT_THAT(out_, HasSubstr("the baseline positional=none needs for the same loss"));
  for (const auto& [positional, of_records] : {std::pair("none", none), std::pair("alibi", alibi)}) {
    folder_.write("runs.csv", csv_of(positional));
    ASSERT_EQ(call("scaling fit --csv runs.csv bootstrap=20 seed=1 "
                   "'grid={alpha=[0.5],beta=[0.5],e=[0.5],a=[0,5],b=[0,5]}' --format json"),
              0)
        << err_;
    const auto of_table = values("");
    EXPECT_GE(of_table.size(), 6) << out_;
    for (const auto& [name, value] : of_table) EXPECT_EQ(of_records.at(name), value) << name;
  }
}

TEST_F(Scaling, ThePlanSaysWhatTheRunsCost) {
  ASSERT_EQ(call("scaling plan experiments/tiny.toml --flops 1e8"), 0) << err_;
  const auto record = read_json(run_of("positional=alibi model.layers=2 train.steps=8").train_record());
  EXPECT_THAT(out_, HasSubstr("The runs of tiny"));
  EXPECT_THAT(out_, HasSubstr("best of these"));
  std::istringstream text(out_);
  std::string found;
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("positional=alibi model.layers=2 train.steps=8 ")) found = line;
  EXPECT_THAT(found, HasSubstr(short_number(record["flops"]["six_nd"])));
  EXPECT_THAT(found, HasSubstr(short_number(record["flops"]["exact"])));
}

}  // namespace
}  // namespace assay
