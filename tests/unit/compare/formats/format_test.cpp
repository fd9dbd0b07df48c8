// One table in every format, worked out by hand.
#include "compare/formats/format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/sha256.h"
#include "compare/table/collect.h"
#include "unit/compare/results_builder.h"

namespace assay::compare {
namespace {

// alibi: 2.0, 2.1, 2.3: mean 32/15, variance 7/300, half-width 4.30265272974946 sqrt(7/300/3) = 0.37946.
// none: one of three runs failed and one never ran, so there is no interval.
class Formats : public ::testing::Test {
 protected:
  Formats() {
    const std::map<int, double> bits = {{1, 2.0}, {2, 2.1}, {3, 2.3}};
    for (const auto& [seed, value] : bits)
      results_.finished({.scheme = "alibi", .seed = seed, .tokens_per_second = 1000.0 + 10 * seed}, {{64, value}});
    results_.finished({.scheme = "none", .seed = 1}, {{64, 2.5}});
    results_.failed({.scheme = "none", .seed = 2}, "plugin");
    results_.plan({.scheme = "none", .seed = 3});
    table_ = collect({.experiment = results_.experiment(),
                      .metrics = {},
                      .baseline = testing::baseline("positional", "none"),
                      .mixed_code = false,
                      .current_code = "",
                      .command = "assay compare quick"});
    plan_ = base::sha256_of_file(results_.experiment().plan()).substr(0, 12);
  }
  testing::ResultsBuilder results_;
  Table table_;
  std::string plan_;
};

// tokens/s of alibi: 1010, 1020, 1030: half-width 4.30265272974946 * 10 / sqrt(3) = 24.84.
TEST_F(Formats, Text) {
  EXPECT_EQ(format_text(table_),
            "quick: mean ± half-width of the 95% Student-t interval over seeds, n runs\n"
            "\n"
            "run                         lm.bits_per_byte@length=64  parameters   tokens  train FLOPs (6ND)  seconds   "
            "tokens/s  peak MiB                          n\n"
            "----------------------------------------------------------------------------------------------------------"
            "---------------------------------------------\n"
            "positional=alibi                           2.13 ± 0.38      347136  2000896           4.17e+12   10 ± 0  "
            "1020 ± 25 "
            "  100 ± 0                          3\n"
            "positional=none (baseline)                         2.5      347136  2000896           4.17e+12       10   "
            "    1000 "
            "      100  1/3 (1 pending, 1 failed)\n"
            "\n"
            "lm.bits_per_byte: bits/byte, lower is better\n"
            "plan: " +
                plan_ +
                "\n"
                "training code: c0de00000000\n"
                "plugins: positional/alibi aa, positional/none aa\n"
                "commit: 0123456789ab\n"
                "data: austen feedfacefeed (public domain)\n"
                "machine: host h1, CPU X, 2 cores\n"
                "LibTorch: 2.11.0\n"
                "command: assay compare quick\n");
}

TEST_F(Formats, Markdown) {
  table_.rows[0].label = "a|b";
  const auto text = format_markdown(table_);
  EXPECT_EQ(text.substr(0, text.find("\n- plan")),
            "**quick**: mean ± half-width of the 95% Student-t interval over seeds, n runs\n"
            "\n"
            "| run | lm.bits_per_byte@length=64 | parameters | tokens | train FLOPs (6ND) | seconds | tokens/s | peak "
            "MiB | n |\n"
            "|:--|--:|--:|--:|--:|--:|--:|--:|--:|\n"
            "| a\\|b | 2.13 ± 0.38 | 347136 | 2000896 | 4.17e+12 | 10 ± 0 | 1020 ± 25 | 100 ± 0 | 3 |\n"
            "| positional=none (baseline) | 2.5 | 347136 | 2000896 | 4.17e+12 | 10 | 1000 | 100 | 1/3 (1 pending, 1 "
            "failed) |\n"
            "\n"
            "- lm.bits_per_byte: bits/byte, lower is better");
  EXPECT_TRUE(text.ends_with("- command: `assay compare quick`\n")) << text;
}

TEST_F(Formats, Csv) {
  table_.rows[1].label = "say \"none\", once";
  const auto text = format_csv(table_);
  std::istringstream lines(text);
  std::string header, alibi, none, spread;
  std::getline(lines, header);
  std::getline(lines, alibi);
  std::getline(lines, none);
  std::getline(lines, spread);
  EXPECT_EQ(
      header,
      "label,positional,baseline,planned,n,failed,diverged,pruned,missing,not_applicable,stale,lm.bits_per_byte@length="
      "64,"
      "lm.bits_per_byte@length=64 half_width,lm.bits_per_byte@length=64 n,train.parameters,train.tokens,train.flops,"
      "train.seconds,train.seconds half_width,train.seconds n,train.tokens_per_second,train.tokens_per_second "
      "half_width,train.tokens_per_second n,train.peak_memory,"
      "train.peak_memory half_width,train.peak_memory n,table.experiment,table.notes,provenance.plan,"
      "provenance.training_code,provenance.plugins,provenance.commit,provenance.data,provenance.machine,"
      "provenance.LibTorch,provenance.command");
  const auto constant =
      ",quick,\"mean ± half-width of the 95% Student-t interval over seeds, n runs; lm.bits_per_byte: bits/byte, lower "
      "is better\"," +
      plan_ +
      ",c0de00000000,\"positional/alibi aa, positional/none aa\",0123456789ab,austen feedfacefeed (public domain),"
      "\"host h1, CPU X, 2 cores\",2.11.0,assay compare quick";
  EXPECT_TRUE(alibi.starts_with("positional=alibi,alibi,0,3,3,0,0,0,0,0,0,2.1333333333333333,0.37945830")) << alibi;
  EXPECT_TRUE(alibi.ends_with(",3,104857600,0,3" + constant)) << alibi;
  EXPECT_EQ(none,
            "\"say \"\"none\"\", "
            "once\",none,1,3,1,1,0,0,1,0,0,2.5,,1,347136,2000896,4170000000000,10,,1,1000,,1,104857600,,1" +
                constant);
  EXPECT_EQ(spread, "");
  EXPECT_TRUE(lines.eof());  // no comments: CSV readers would parse them as rows
}

TEST_F(Formats, Json) {
  const auto json = nlohmann::json::parse(format_json(table_));
  EXPECT_EQ(json["experiment"], "quick");
  EXPECT_EQ(json["columns"][0]["direction"], "lower");
  EXPECT_EQ(json["columns"][0]["unit"], "bits/byte");
  const auto& cell = json["rows"][0]["cells"][0];
  EXPECT_NEAR(cell["mean"].get<double>(), 32.0 / 15, 1e-14);
  EXPECT_NEAR(cell["deviation"].get<double>(), std::sqrt(7.0 / 300), 1e-14);
  EXPECT_NEAR(cell["half_width"].get<double>(), 0.37945830335967606, 1e-12);
  EXPECT_EQ(cell["values"].dump(), R"([{"seed":1,"value":2.0},{"seed":2,"value":2.1},{"seed":3,"value":2.3}])");
  EXPECT_EQ(json["rows"][1]["axes"]["positional"], "none");
  EXPECT_EQ(json["rows"][1]["baseline"], true);
  EXPECT_EQ(
      json["rows"][1]["count"].dump(),
      R"({"diverged":0,"failed":1,"missing":1,"n":1,"not_applicable":0,"planned":3,"pruned":0,"stale":0,"with_skipped_steps":0})");
  EXPECT_TRUE(json["rows"][1]["cells"][0]["half_width"].is_null());
  EXPECT_EQ(json["provenance"]["plan"], plan_);
}

}  // namespace
}  // namespace assay::compare
