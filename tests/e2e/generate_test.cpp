// assay generate on a run that was just trained: the same words give the same text, seeds change samples, a prompt's
// company changes nothing, and what is missing or wrong is told.
#include <gmock/gmock.h>

#include "e2e/programs.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string greedy = "--decoder greedy ";

class Generate : public testing::Programs {
 protected:
  void train(const std::string& tokenizer = "\"bytes\"") {
    write_experiment();
    folder_.write("experiments/more.toml",
                  "extends = [\"tiny.toml\"]\n[experiment]\nname = \"tiny\"\n[data]\ntokenizer = " + tokenizer +
                      "\n[train]\nsteps = 30\nprecision = \"fp64\"\n");
    ASSERT_EQ(call("run experiments/more.toml"), 0) << err_;
    run_ = plan()[0]["train_id"].get<std::string>().substr(0, 12);
  }

  // The continuations, one a prompt and sample.
  std::vector<json> generate(const std::string& words) {
    EXPECT_EQ(call("generate " + run_ + " --json --tokens 30 " + words), 0) << err_;
    std::vector<json> lines;
    std::istringstream text(out_);
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
    return lines;
  }

  std::string run_;
};

TEST_F(Generate, GreedyTextIsTheSameWheneverAndInAnyCompany) {
  train();
  const auto alone = generate(greedy + "--prompt 'eta'");
  ASSERT_EQ(alone.size(), 1u);
  EXPECT_EQ(alone[0]["prompt"], "eta");
  EXPECT_EQ(alone[0]["ids"].size(), 30u);
  EXPECT_EQ(alone[0]["ended"], false);
  EXPECT_LT(alone[0]["log_prob"].get<double>(), 0);
  std::string bytes;
  for (const auto& id : alone[0]["ids"]) bytes += static_cast<char>(id.get<int>());
  EXPECT_EQ(alone[0]["text"], bytes);
  EXPECT_EQ(generate(greedy + "--prompt 'eta'"), alone);
  EXPECT_EQ(generate(greedy + "--prompt 'eta' --seed 9"), alone);
  EXPECT_EQ(generate("--prompt 'eta' --decoder sampling top_k=1")[0]["text"], alone[0]["text"]);
  const auto together = generate(greedy + "--prompt 'shrdlu, oin ' --prompt 'eta' --prompt ''");
  ASSERT_EQ(together.size(), 3u);
  EXPECT_EQ(together[1]["ids"], alone[0]["ids"]);
  EXPECT_NEAR(together[1]["log_prob"].get<double>(), alone[0]["log_prob"].get<double>(), 1e-9);
  EXPECT_EQ(together[0]["ids"], generate(greedy + "--prompt 'shrdlu, oin '")[0]["ids"]);
  ASSERT_EQ(call("generate " + run_ + " --tokens 30 --decoder greedy --prompt eta"), 0) << err_;
  EXPECT_EQ(out_, "eta" + bytes + "\n");
}

TEST_F(Generate, TheSeedDecidesSamples) {
  train();
  const auto one = generate("--prompt 'eta' --decoder sampling --samples 3");
  ASSERT_EQ(one.size(), 3u);
  EXPECT_NE(one[0]["text"], one[1]["text"]);
  EXPECT_EQ(generate("--prompt 'eta' --decoder sampling --samples 3 --seed 1"), one);
  EXPECT_NE(generate("--prompt 'eta' --decoder sampling --samples 3 --seed 2")[0]["text"], one[0]["text"]);
  EXPECT_NE(generate("--prompt 'eta' --decoder sampling temperature=0.5")[0]["text"], one[0]["text"]);
}

TEST_F(Generate, ToldWhatIsMissingOrWrong) {
  train();
  const auto refused = [&](const std::string& words) {
    EXPECT_EQ(call("generate " + words), 2) << words;
    EXPECT_EQ(out_, "");
    return err_;
  };
  EXPECT_THAT(refused("nosuchrun"), HasSubstr("no planned run 'nosuchrun'"));
  EXPECT_THAT(refused(run_), AllOf(HasSubstr("--decoder is missing"), HasSubstr("greedy"), HasSubstr("sampling")));
  EXPECT_THAT(refused(run_ + " --decoder greedi"), AllOf(HasSubstr("greedi"), HasSubstr("greedy")));
  EXPECT_THAT(refused(run_ + " --decoder sampling temperature=0"), AllOf(HasSubstr("temperature"), HasSubstr("0.01")));
  EXPECT_THAT(refused(run_ + " --decoder sampling top_p=1.5"), HasSubstr("top_p"));
  EXPECT_THAT(refused(run_ + " --decoder greedy top_k=3"), HasSubstr("top_k"));
  EXPECT_THAT(refused(run_ + " --tokens 0"), HasSubstr("at least 1"));
  fs::remove(experiment().run(plan()[0]["train_id"]).weights());
  EXPECT_THAT(refused(run_ + " --decoder greedy"),
              AllOf(HasSubstr("weights.safetensors"), HasSubstr("train.keep is \"none\"")));
}

// A vocabulary from files is the run's own, or nothing is generated.
TEST_F(Generate, WithATokenizerFromFiles) {
  const auto source = fs::path(std::getenv("ASSAY_SOURCE_DIR")) / "plugins/tokenizer/bpe/smoke";
  for (const char* file : {"encoder.json", "vocab.bpe"}) folder_.write(file, read_file(source / file));
  train("{ use = \"bpe\", encoder = \"../encoder.json\", merges = \"../vocab.bpe\" }");
  const auto text = generate(greedy + "--prompt 'eta'");
  EXPECT_EQ(text[0]["ids"].size(), 30u);
  EXPECT_EQ(read_json(experiment().run(plan()[0]["train_id"]).train_record())["config"]["data"]["tokenizer"]["use"],
            "bpe");
  folder_.write("vocab.bpe", read_file(source / "vocab.bpe") + "\n");
  EXPECT_EQ(call("generate " + run_ + " " + greedy), 2);
  EXPECT_THAT(err_, HasSubstr("vocab.bpe: changed since the plan was made"));
}

}  // namespace
}  // namespace assay
