// assay generate on a run that was just trained: equal arguments give equal text, seeds change samples, a prompt does
// not depend on the others in its batch, and errors name what is missing or wrong.
#include <gmock/gmock.h>

#include "e2e/programs.h"

namespace assay {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string greedy = "--decoder greedy ";

class Generate : public testing::Programs {
 protected:
  void train(const std::string& tokenizer = "\"bytes\"", const std::string& more = "") {
    write_experiment();
    folder_.write("experiments/more.toml",
                  "extends = [\"tiny.toml\"]\n[experiment]\nname = \"tiny\"\n[data]\ntokenizer = " + tokenizer +
                      "\n[train]\nsteps = 30\nprecision = \"fp64\"\n" + more);
    ASSERT_EQ(call("run experiments/more.toml"), 0) << err_;
    run_ = plan()[0]["train_id"].get<std::string>().substr(0, 12);
  }

  // Returns the continuations, one per prompt and sample.
  std::vector<json> generate(const std::string& words) {
    EXPECT_EQ(call("generate " + run_ + " --json --tokens 30 " + words), 0) << err_;
    std::vector<json> lines;
    std::istringstream text(out_);
    for (std::string line; std::getline(text, line);) {
      lines.push_back(json::parse(line));
      EXPECT_GT(lines.back().at("measured").at("seconds").get<double>(), 0);
      lines.back().erase("measured");
    }
    return lines;
  }

  std::string run_;
};

TEST_F(Generate, GreedyTextIsReproducibleAndDoesNotDependOnTheBatch) {
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

TEST_F(Generate, EveryDecoderOfTheTree) {
  train();
  const auto text = [&](const std::string& decoder) {
    return generate("--prompt 'eta' --decoder " + decoder)[0]["text"].get<std::string>();
  };
  const auto greedy_text = text("greedy");
  EXPECT_EQ(text("contrastive alpha=0"), greedy_text);
  EXPECT_EQ(text("contrastive k=1"), greedy_text);
  EXPECT_NE(text("contrastive k=5 alpha=1"), greedy_text);
  EXPECT_EQ(text("beam beams=1"), greedy_text);
  const auto score = [&](const std::string& decoder) {
    return generate("--prompt 'eta' --decoder " + decoder)[0]["log_prob"].get<double>();
  };
  EXPECT_GE(score("beam beams=8 length_penalty=0"), score("greedy"));
  EXPECT_EQ(text("sampling typical=0.5"), text("sampling typical=0.5"));
  EXPECT_THAT((call("generate " + run_ + " --decoder contrastive alpha=1.5"), err_), HasSubstr("alpha"));
}

TEST_F(Generate, PlotsTheSimilarityOfStates) {
  if (std::system("gnuplot --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "gnuplot is not installed";
  train();
  const auto file = (folder_ / "map.png").string();
  const auto words = "generate " + run_ + " --tokens 7 --decoder greedy --prompt eta --heatmap ";
  ASSERT_EQ(call(words + file), 0) << err_;
  EXPECT_TRUE(out_.starts_with("eta"));
  EXPECT_EQ(base::read_file(file).substr(1, 3), "PNG");
  std::istringstream rows(base::read_file(folder_ / "map.png.txt"));
  std::vector<std::vector<double>> cosines;
  for (std::string line; std::getline(rows, line);) {
    std::istringstream numbers(line);
    cosines.emplace_back();
    for (double number; numbers >> number;) cosines.back().push_back(number);
  }
  ASSERT_EQ(cosines.size(), 1u + 3 + 7);  // the end of text comes before it
  double least = 1;
  for (size_t i = 0; i < cosines.size(); ++i) {
    ASSERT_EQ(cosines[i].size(), cosines.size());
    EXPECT_EQ(cosines[i][i], 1);
    for (size_t j = 0; j < i; ++j) {
      EXPECT_EQ(cosines[i][j], cosines[j][i]);
      EXPECT_LE(cosines[i][j], 1);
      least = std::min(least, cosines[i][j]);
    }
  }
  EXPECT_LT(least, 0.99);
  const auto drawn = base::read_file(file);
  ASSERT_EQ(call(words + file), 0) << err_;
  EXPECT_EQ(base::read_file(file), drawn);
  EXPECT_EQ(call(words + (folder_ / "map.jpg").string()), 2);
  EXPECT_THAT(err_, HasSubstr("a heat map is a PNG file"));
  EXPECT_EQ(call(words + file + " --samples 2"), 2);
  EXPECT_THAT(err_, HasSubstr("--heatmap shows one continuation"));
}

TEST_F(Generate, ReportsWhatIsMissingOrWrong) {
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
}

// Text is generated only from the weights that the run recorded.
TEST_F(Generate, WeightsThatAreNotTheRunsAreRefused) {
  train();
  const auto run = experiment().run(plan()[0]["train_id"]);
  auto bytes = base::read_file(run.weights());
  const auto id = bytes.find(plan()[0]["train_id"].get<std::string>());
  ASSERT_NE(id, std::string::npos);
  bytes[id] = bytes[id] == '0' ? '1' : '0';
  folder_.write(fs::relative(run.weights(), folder_.path()), bytes);
  EXPECT_EQ(call("generate " + run_ + " --decoder greedy"), 2);
  EXPECT_THAT(err_, HasSubstr("weights.safetensors: the file is not the one that the training wrote"));
  fs::remove(run.train_record());
  EXPECT_EQ(call("generate " + run_ + " --decoder greedy"), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("weights.safetensors: the file holds the weights of run"), HasSubstr(", not of ")));
  fs::remove(run.weights());
  EXPECT_EQ(call("generate " + run_ + " --decoder greedy"), 2);
  EXPECT_THAT(err_,
              AllOf(HasSubstr("weights.safetensors"), HasSubstr("the run has not finished"), Not(HasSubstr("keep"))));
}

TEST_F(Generate, ReportsWhyARunHasNoWeights) {
  write_experiment();
  const auto reason = [&](const std::string& words) {
    EXPECT_EQ(call("run experiments/tiny.toml " + words), 0) << err_;
    EXPECT_EQ(call("generate " + plan()[0]["train_id"].get<std::string>() + " " + greedy), 2);
    EXPECT_THAT(err_, HasSubstr("weights.safetensors: there is no such file; "));
    return err_;
  };
  EXPECT_THAT(reason("train.steps=0"), AllOf(HasSubstr("; train.steps is 0, so"), Not(HasSubstr("train.keep"))));
  EXPECT_THAT(reason("train.keep=none"), HasSubstr("; train.keep is \"none\""));
  ASSERT_EQ(call("run experiments/tiny.toml optimizer.lr=0.02"), 0) << err_;
  const std::string id = plan()[0]["train_id"];
  fs::remove(experiment().run(id).weights());
  EXPECT_EQ(call("generate " + id + " " + greedy), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("the file was removed after the training"), Not(HasSubstr("train.keep"))));
}

// Plugins that only evaluated or tracked the run are not needed to generate.
TEST_F(Generate, NeedsNoEvaluatorOrTrackerPlugin) {
  train();
  auto line = plan()[0];
  line["plugins"]["evaluator/gone"] = line["plugins"].at("evaluator/lm");
  line["plugins"]["tracker/gone"] = line["plugins"].at("evaluator/lm");
  folder_.write(fs::relative(experiment().plan(), folder_.path()), line.dump() + "\n");
  EXPECT_EQ(generate(greedy + "--prompt 'eta'").size(), 1u);
}

// A vocabulary from files must be the one that the run was trained with.
TEST_F(Generate, WithATokenizerFromFiles) {
  const auto source = fs::path(std::getenv("ASSAY_SOURCE_DIR")) / "plugins/tokenizer/bpe/smoke";
  for (const char* file : {"encoder.json", "vocab.bpe"}) folder_.write(file, base::read_file(source / file));
  train("{ use = \"bpe\", encoder = \"../encoder.json\", merges = \"../vocab.bpe\" }");
  const auto text = generate(greedy + "--prompt 'eta'");
  EXPECT_EQ(text[0]["ids"].size(), 30u);
  EXPECT_EQ(read_json(experiment().run(plan()[0]["train_id"]).train_record())["config"]["data"]["tokenizer"]["use"],
            "bpe");
  folder_.write("vocab.bpe", base::read_file(source / "vocab.bpe") + "\n");
  EXPECT_EQ(call("generate " + run_ + " " + greedy), 2);
  EXPECT_THAT(err_, HasSubstr("vocab.bpe: it has changed since the plan was made"));
}

// Infilling at an offset of a file; the part of a long file that the model sees; and repeated infilling while a user
// types, which reuses the cached state.
TEST_F(Generate, InfillsAtAnOffset) {
  train("\"bytes\"", "[[transform]]\nuse = \"fim\"\n");
  const auto file = folder_.write("hole.txt", "eta oin\nshrdlu\n").string();
  const auto filled = [&](const std::string& words) {
    EXPECT_EQ(call("generate " + run_ + " --tokens 4 --json " + greedy + words), 0) << err_;
    std::vector<json> lines;
    std::istringstream text(out_);
    for (std::string line; std::getline(text, line);) lines.push_back(json::parse(line));
    return lines;
  };
  const auto at_four = filled("--infill " + file + " --at 4");
  ASSERT_EQ(at_four.size(), 1u);
  EXPECT_EQ(at_four[0]["shown"], (json{{"prefix", 4}, {"suffix", 4}}));  // half of the rest of the context of 16
  EXPECT_EQ(at_four[0]["read"], 1 + 3 + 8);
  EXPECT_EQ(at_four[0]["ids"], filled("--prefix 'eta ' --suffix 'oin\n'")[0]["ids"]);
  EXPECT_NE(at_four[0]["log_prob"], filled("--infill " + file + " --at 4 --form psm")[0]["log_prob"]);
  const auto text = filled("--infill " + file + " --at 4 --to 7")[0]["text"].get<std::string>();
  ASSERT_EQ(call("generate " + run_ + " --tokens 4 " + greedy + "--infill " + file + " --at 4 --to 7"), 0) << err_;
  EXPECT_EQ(out_, "eta " + text + "\nshrdlu\n");
  EXPECT_THAT(err_, HasSubstr("the model saw 4 bytes of the prefix and 4 of the suffix"));
  EXPECT_EQ(base::read_file(file), "eta oin\nshrdlu\n");

  // In SPM order the suffix comes first, so the state of everything but the typed text is reused; in PSM order none of
  // the suffix is.
  const auto typed = filled(
      "--prefix e --suffix 'oin' --typing 't\xC3\xA9"
      "a'");
  ASSERT_EQ(typed.size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(typed[i]["typed"], i);
  EXPECT_EQ(typed[1]["read"], 1);
  EXPECT_EQ(typed[2]["read"], 2);  // a character of two bytes
  EXPECT_EQ(typed[3]["reused"], 1 + 3 + 3 + 4);
  EXPECT_EQ(typed[1]["ids"], filled("--prefix et --suffix 'oin'")[0]["ids"]);
  for (const auto& edit : filled("--prefix e --suffix 'oin' --typing 'ta' --form psm"))
    if (edit["typed"] > 0) {
      EXPECT_EQ(edit["read"], 1 + 1 + 3 + 1);  // the typed byte, <SUF> oin <MID>
    }
}

TEST_F(Generate, ShowsWholeCharactersOfALongFile) {
  train("\"bytes\"", "[[transform]]\nuse = \"fim\"\n");
  std::string euros;
  for (int i = 0; i < 9; ++i) euros += "\xE2\x82\xAC";
  const auto file = folder_.write("hole.txt", euros).string();
  ASSERT_EQ(call("generate " + run_ + " --tokens 4 --json " + greedy + "--infill " + file + " --at 12"), 0) << err_;
  EXPECT_EQ(json::parse(out_)["shown"], (json{{"prefix", 3}, {"suffix", 3}}));  // 4 bytes would cut a character
  EXPECT_EQ(call("generate " + run_ + " --tokens 4 " + greedy + "--prefix x --form mps"), 2);
  EXPECT_THAT(err_, AllOf(HasSubstr("it must be psm, spm_v1"), Not(HasSubstr("plugin"))));
}

TEST_F(Generate, ReportsInvalidInfillArguments) {
  train();
  const auto file = folder_.write("hole.txt", "caf\xC3\xA9").string();
  const auto refused = [&](const std::string& words) {
    EXPECT_EQ(call("generate " + run_ + " --tokens 4 " + greedy + words), 2) << words;
    EXPECT_EQ(out_, "");
    return err_;
  };
  EXPECT_THAT(refused("--infill " + file), HasSubstr("--infill FILE and --at OFFSET require each other"));
  EXPECT_THAT(refused("--at 3"), HasSubstr("--at requires infilling"));
  EXPECT_THAT(refused("--infill " + file + " --at 9"), HasSubstr("has 5 bytes; give an offset from 0 to 5"));
  EXPECT_THAT(refused("--infill " + file + " --at 4"), HasSubstr("inside a character"));
  EXPECT_THAT(refused("--infill " + file + " --at 3 --to 1"), HasSubstr("--to 1 is before --at 3"));
  EXPECT_THAT(refused("--infill " + file + " --at 3 --suffix x"), HasSubstr("--infill excludes --prefix and --suffix"));
  EXPECT_THAT(refused("--prefix x --prompt y"), HasSubstr("--prompt cannot be used with infilling"));
  EXPECT_THAT(refused("--prefix x --samples 2"), HasSubstr("--samples cannot be used with infilling"));
  EXPECT_THAT(refused("--prefix x"), HasSubstr("this run cannot infill"));
}

}  // namespace
}  // namespace assay
