// Exports a run's weights to a Hugging Face folder and imports them again.
#include <gmock/gmock.h>

#include "e2e/programs.h"
#include "run/checkpoint/safetensors.h"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ExchangeVerbs : public testing::Programs {
 protected:
  std::string trained(const std::string& words) {
    write_experiment();
    EXPECT_EQ(call("run experiments/tiny.toml " + words), 0) << err_;
    return plan()[0]["train_id"];
  }
};

TEST_F(ExchangeVerbs, ExportAndImport) {
  const auto id = trained("'positional={use=\"learned\",positions=64}'");
  ASSERT_EQ(call("export " + id + " --to csv"), 0) << err_;
  EXPECT_THAT(out_, AllOf(HasSubstr("lm.bits_per_byte"), HasSubstr("seed")));
  ASSERT_EQ(call("export " + id + " --to tensorboard --out board"), 0) << err_;
  EXPECT_TRUE(std::filesystem::exists(folder_ / "board"));
  EXPECT_EQ(call("export nothing --to csv"), 2);
  EXPECT_THAT(err_, HasSubstr("it is not a run either"));
  ASSERT_EQ(call("export " + id + " --to hf --out there"), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("there/config.json"));
  const auto config = read_json(folder_ / "there/config.json");
  EXPECT_EQ(config["model_type"], "gpt2");
  EXPECT_EQ(config["vocab_size"], 257);
  ASSERT_EQ(call("import there --from hf --out back"), 0) << err_;
  const run::SafetensorsFile weights(experiment().run(id).weights()), back(folder_ / "back/weights.safetensors");
  ASSERT_EQ(back.names(), weights.names());
  for (const auto& name : weights.names()) EXPECT_TRUE(back.read(name).equal(weights.read(name))) << name;
  // The imported model is used in an experiment.
  const auto was = plan()[0]["train"]["model"];
  folder_.write("experiments/again.toml", "extends = [\"tiny.toml\", \"../back/model.toml\"]\n");
  ASSERT_EQ(call("plan experiments/again.toml --json"), 0) << err_;
  const auto is = nlohmann::json::parse(out_)["runs"][0]["train"]["model"];
  for (const char* key : {"use", "layers", "width", "heads", "bias", "gelu", "tied_head", "positional"})
    EXPECT_EQ(is[key], was[key]) << key;
  EXPECT_EQ(back.metadata().at("vocabulary"), R"({"size":257})");
  folder_.write(
      "experiments/again.toml",
      "extends = [\"tiny.toml\", \"../back/model.toml\"]\n[init]\nweights = \"../back/weights.safetensors\"\n");
  ASSERT_EQ(call("plan experiments/again.toml"), 0) << err_;
  // Three more tokens fit into the padding rows of the table, but they make another vocabulary.
  std::vector<run::NamedTensor> tensors;
  for (const auto& name : back.names()) tensors.push_back({name, back.read(name)});
  run::write_safetensors(folder_ / "back/weights.safetensors", tensors, {{"vocabulary", R"({"size":260})"}});
  ASSERT_EQ(call("plan experiments/again.toml"), 2);
  EXPECT_THAT(err_, HasSubstr(R"(the weights were trained with the vocabulary {"size":260}, but this run has {)"));
  EXPECT_EQ(call("import there --from hf --out back"), 2);
  EXPECT_THAT(err_, HasSubstr("back: the path exists and is not an empty folder"));
  EXPECT_EQ(call("export " + id + " --out other"), 2);
  EXPECT_THAT(err_, HasSubstr("--to is missing; names are csv (an experiment's numbers), "));
}

// The tracker writes events while the run trains: there are two attempts, and the second one began at step 1.
TEST_F(ExchangeVerbs, AResumedRunIsExportedWithTheTimesOfItsAttempts) {
  const auto id = trained("");
  const auto exported = [&](const std::string& events) {
    base::write_atomically(experiment().run(id).events(), events);
    EXPECT_EQ(call("export " + id + " --to jsonl --out board"), 0) << err_;
    std::vector<std::pair<std::string, double>> times;
    const auto file = folder_ / "board/tiny seed=1/metrics.jsonl";
    std::istringstream lines(base::read_file(file));
    std::filesystem::remove_all(folder_ / "board");  // an export wants an empty folder
    for (std::string line; std::getline(lines, line);) {
      const auto event = nlohmann::json::parse(line);
      EXPECT_EQ(event["attempt"], 1);
      times.emplace_back(event["type"], event["measured"]["time"]);
    }
    return times;
  };
  using Times = std::vector<std::pair<std::string, double>>;
  EXPECT_EQ(exported(R"({"attempt":1,"type":"start","measured":{"time":1000.0,"seconds":1}}
{"attempt":1,"type":"step","step":1,"loss":3,"measured":{"time":1002.5,"seconds":3.5}}
{"attempt":1,"type":"step","step":2,"loss":3,"measured":{"time":1004.5,"seconds":5.5}}
{"attempt":2,"type":"start","from":1,"measured":{"time":5000.0,"seconds":1}}
{"attempt":2,"type":"step","step":2,"loss":2,"measured":{"time":5003.5,"seconds":3.5}}
{"attempt":2,"type":"evaluate","step":2,"label":"lm","metrics":[],"measured":{"time":5004.5,"seconds":1}}
{"attempt":2,"type":"step","step":3,"loss":2,"measured":{"time":4990.5,"seconds":5.5}}
)"),
            (Times{{"start", 1002.5}, {"step", 1002.5}, {"step", 5003.5}, {"evaluate", 5004.5}, {"step", 5004.5}}));
  // Old events have no time: the export uses the time at which the last attempt began, according to the record.
  const auto old = exported(R"({"attempt":1,"type":"start"}
{"attempt":1,"type":"step","step":1,"loss":3,"measured":{"seconds":60}}
{"attempt":2,"type":"start","from":1}
{"attempt":2,"type":"step","step":2,"loss":2,"measured":{"seconds":5}}
{"attempt":2,"type":"step","step":3,"loss":2,"measured":{"seconds":65}}
)");
  const double began = old[0].second;
  EXPECT_GT(began, 1.7e9);  // a time in this century
  EXPECT_EQ(old, (Times{{"start", began}, {"step", began + 60}, {"step", began + 60}, {"step", began + 65}}));
}

TEST_F(ExchangeVerbs, RefusesModelsWithoutALayout) {
  const auto id = trained("positional=\"rotary\"");
  EXPECT_NE(call("export " + id + " --to hf --out there"), 0);
  EXPECT_THAT(err_, HasSubstr("positional scheme 'rotary' has no layout in transformers"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "there"));
}

// An experiment with an exchange is refused at plan time, with the position of its entry.
TEST_F(ExchangeVerbs, PlanReportsWhatCannotBeExported) {
  write_experiment("[[exchange]]\nuse = \"hf\"\n");
  EXPECT_EQ(call("plan experiments/tiny.toml"), 2);
  EXPECT_THAT(err_,
              AllOf(HasSubstr("experiments/tiny.toml:28:1: the run cannot be exported: positional scheme 'none' has "
                              "no layout in transformers"),
                    HasSubstr("MPT (positional 'alibi' with max_exponent = 8")));
  const std::string alibi = "positional=alibi model.bias=false model.gelu=erf";
  EXPECT_EQ(call("plan experiments/tiny.toml --json " + alibi), 0) << err_;
  EXPECT_EQ(nlohmann::json::parse(out_)["runs"][0]["exchanges"][0]["use"], "hf");
  EXPECT_EQ(call("plan experiments/tiny.toml " + alibi + " exchange.hf.max_seq_len=15"), 2);
  EXPECT_THAT(err_, HasSubstr("max_seq_len = 15 is less than the context length of training, 16"));
  EXPECT_EQ(call("plan experiments/tiny.toml --json exchange.hf.enabled=false"), 0) << err_;
  EXPECT_FALSE(nlohmann::json::parse(out_)["runs"][0].contains("exchanges"));
}

TEST_F(ExchangeVerbs, ExportTakesTheParametersOfTheExperiment) {
  write_experiment("[[exchange]]\nuse = \"hf\"\nmax_seq_len = 4096\n");
  ASSERT_EQ(call("run experiments/tiny.toml positional=alibi model.bias=false model.gelu=erf"), 0) << err_;
  const std::string id = plan()[0]["train_id"];
  ASSERT_EQ(call("export " + id + " --to hf --out planned"), 0) << err_;
  EXPECT_EQ(read_json(folder_ / "planned/config.json")["max_seq_len"], 4096);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "planned/tokenizer.json"));
  ASSERT_EQ(call("export " + id + " --to hf --out given max_seq_len=64 tokenizer=false"), 0) << err_;
  EXPECT_EQ(read_json(folder_ / "given/config.json")["max_seq_len"], 64);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "given/tokenizer.json"));
}

// Damaged files that could pass for weights: each byte of the file must belong to exactly one tensor.
TEST_F(ExchangeVerbs, DamagedFilesAreNotImported) {
  const auto id = trained("'positional={use=\"learned\",positions=64}'");
  ASSERT_EQ(call("export " + id + " --to hf --out there"), 0) << err_;
  const auto file = folder_ / "there/model.safetensors";
  const auto whole = base::read_file(file);
  folder_.write("there/model.safetensors", whole + "more");
  EXPECT_NE(call("import there --from hf --out back"), 0);
  EXPECT_THAT(err_, HasSubstr("bytes of data, but the file has"));
  folder_.write("there/model.safetensors", whole);
  EXPECT_EQ(call("import there --from hf --out back"), 0) << err_;
}

}  // namespace
}  // namespace assay
