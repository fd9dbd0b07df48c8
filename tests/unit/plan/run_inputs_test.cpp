#include "plan/run_inputs.h"

#include <gmock/gmock.h>

#include "record/plan_line/run_input.h"
#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class Inputs : public PlanTest {
 protected:
  // Two schemes x three seeds, from which other runs start.
  std::string before_ = write("experiments/study/before.toml",
                              kSmall +
                                  "[experiment]\nseeds = '1..3'\n[[sweep]]\n[sweep.grid]\npositional = ['alibi', "
                                  "'sinusoidal']\n");
  plan::Plan inputs_ = plan::make_plan({before_, {}, ""});

  json id_of(const std::string& label, int64_t seed) const {
    for (const auto& line : inputs_.lines)
      if (line.label == label && line.seed == seed) return line.train_id;
    return nullptr;
  }
  static std::string after(const std::string& from, const std::string& seeds = "'1..3'") {
    return kSmall + "[init]\nfrom = " + from + "\n[experiment]\nseeds = " + seeds + "\n";
  }
};

TEST_F(Inputs, TheSameSeedIsTheDefault) {
  const auto made = plan(after("{ experiment = 'study-before', where = { positional = 'alibi' } }"));
  ASSERT_EQ(made.lines.size(), 3u);
  for (const auto& line : made.lines) {
    const auto& from = line.train.init->from;
    const auto id = id_of("positional=alibi", line.seed);
    EXPECT_EQ(from.at("train_id"), id);
    EXPECT_EQ(from.at("path"), (folder_ / "results/study-before/runs" / id.get<std::string>()).string());
    EXPECT_EQ(line.train.init->load, "weights");
    EXPECT_EQ(record::inputs_in(line.train).size(), 1u);
  }
  EXPECT_EQ(made.distinct, 1u);
}

TEST_F(Inputs, AnExperimentHasTheNameInItsFile) {
  write("experiments/study/named.toml", kSmall + "[experiment]\nname = 'pre'\n");
  const auto made = plan(after("{ experiment = 'pre' }", "1"));
  EXPECT_THAT(made.lines.at(0).train.init->from.at("path").get<std::string>(), HasSubstr("results/pre/runs/"));
  EXPECT_THAT(errors(after("{ experiment = 'study-named' }", "1")), HasSubstr("unknown experiment 'study-named'"));
}

TEST_F(Inputs, OneSeedForAll) {
  const auto made = plan(after("{ experiment = 'study-before', where = { positional = 'alibi' }, seed = 2 }"));
  for (const auto& line : made.lines) EXPECT_EQ(line.train.init->from.at("train_id"), id_of("positional=alibi", 2));
}

// The identity includes the weights that a run starts from, but not their location or name.
TEST_F(Inputs, IdentityIsTheInputsTrainId) {
  const auto ids = [&](const std::string& scheme, const std::string& seed) {
    const auto line =
        plan(after("{ experiment = 'study-before', where = { positional = '" + scheme + "' }, seed = " + seed + " }",
                   "1"))
            .lines.at(0);
    return std::pair{line.train_id, line.group};
  };
  EXPECT_NE(ids("alibi", "1").first, ids("alibi", "2").first);
  EXPECT_NE(ids("alibi", "1").first, ids("sinusoidal", "1").first);
  EXPECT_EQ(ids("alibi", "1").first, ids("alibi", "'same'").first);
  EXPECT_NE(ids("alibi", "'same'").second, ids("sinusoidal", "'same'").second);
  EXPECT_NE(ids("alibi", "1").first, plan(kSmall).lines.at(0).train_id);
  write("experiments/other.toml", kSmall + "[experiment]\nseeds = 1\n");  // the same run as alibi, seed 1
  EXPECT_EQ(plan(after("{ experiment = 'other' }", "1")).lines.at(0).train_id, ids("alibi", "1").first);
}

TEST_F(Inputs, ThePlanInForceIsUsed) {
  plan::write_plan(inputs_, inputs_.results_folder);
  write("experiments/study/before.toml", "this is no TOML");
  const auto made = plan(after("{ experiment = 'study-before', where = { positional = 'sinusoidal' } }"));
  EXPECT_EQ(made.lines[2].train.init->from.at("train_id"), id_of("positional=sinusoidal", 3));
}

TEST_F(Inputs, CanBeSwept) {
  const auto made = plan(kSmall +
                         "[experiment]\nseeds = 1\n[[sweep]]\n[sweep.grid]\ninit.from = [{ label = 'a', experiment "
                         "= 'study-before', where = { positional = 'alibi' } }, { label = 's', experiment = "
                         "'study-before', where = { positional = 'sinusoidal' } }]\n");
  ASSERT_EQ(made.lines.size(), 2u);
  EXPECT_EQ(made.lines[1].label, "init.from=s");
  EXPECT_EQ(made.lines[1].train.init->from.at("train_id"), id_of("positional=sinusoidal", 1));
}

TEST_F(Inputs, InvalidInputs) {
  EXPECT_THAT(errors(after("{ experiment = 'study-before' }")),
              HasSubstr("'where' must select one configuration, but selects 2 of 'study-before': "));
  EXPECT_THAT(
      errors(after("{ experiment = 'study-before', where = { positional = 'none' } }")),
      HasSubstr("'where' selects no run of 'study-before'; available: positional=alibi; positional=sinusoidal"));
  EXPECT_THAT(errors(after("{ experiment = 'study-before', where = { positional = 'alibi' } }", "'3..4'")),
              HasSubstr("'study-before' has no run with seed 4 of positional=alibi"));
  EXPECT_THAT(errors(after("{ experiment = 'test' }", "1")), HasSubstr("must not take its own runs as inputs"));
  EXPECT_THAT(errors(after("{ experiment = 'missing' }", "1")), HasSubstr("unknown experiment 'missing'"));
}

}  // namespace
}  // namespace assay::testing
