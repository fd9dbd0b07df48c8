// The files of `assay new`.
#include "cli/kit/scaffold.h"

#include <gmock/gmock.h>

#include "assay/error.h"
#include "document/parse.h"

namespace assay::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Scaffold, EveryKindHasItsFilesAndNoPlaceholder) {
  EXPECT_THAT(scaffold_kinds(), ::testing::ElementsAre("attack", "callback", "dataset", "decoder", "defense",
                                                       "evaluator", "model", "objective", "optimizer", "positional",
                                                       "scheduler", "scorer", "tokenizer", "tracker", "transform"));
  for (const auto& kind : scaffold_kinds())
    for (const bool in_tree : {true, false}) {
      const auto files = new_plugin(kind, "my_own_thing", in_tree);
      EXPECT_EQ(files.size(), 5U);
      for (const auto& [file, text] : files) {
        for (const char* placeholder : {"scaffold_name", "ScaffoldName", "scaffold-name", "KIND", "BUILD"})
          EXPECT_THAT(text, Not(HasSubstr(placeholder))) << kind << "/" << file;
        EXPECT_EQ(text.back(), '\n') << kind << "/" << file;
      }
      EXPECT_THAT(files.at("my_own_thing.cpp"), HasSubstr("class MyOwnThing final : public assay::"));
      EXPECT_EQ(files.at("CMakeLists.txt").starts_with("assay_add_plugin(my_own_thing)"), in_tree);
      document::Diagnostics diagnostics;
      EXPECT_TRUE(document::parse_toml(files.at("experiment.toml"), "experiment.toml", diagnostics)) << kind;
    }
}

TEST(Scaffold, TheExperimentUsesThePlugin) {
  const auto experiment = [](const char* kind) { return new_plugin(kind, "mine", false).at("experiment.toml"); };
  EXPECT_THAT(experiment("positional"), HasSubstr("[positional]\nuse = \"mine\"\n\n[[objective]]\nuse = \"mle\""));
  EXPECT_THAT(experiment("model"), HasSubstr("[model]\nuse = \"mine\"\n\n[positional]"));
  EXPECT_THAT(experiment("callback"), HasSubstr("[[callback]]\nuse = \"mine\"\n"));
  EXPECT_THAT(experiment("tokenizer"), HasSubstr("tokenizer = \"mine\"\ncontext = 32\n"));
  EXPECT_THAT(experiment("dataset"), HasSubstr("dataset = \"mine\"\ntokenizer = \"bytes\""));
  EXPECT_THAT(experiment("transform"), HasSubstr("lengths = [32]\n\n[[transform]]\nuse = \"mine\"\n"));
  EXPECT_THAT(experiment("evaluator"), HasSubstr("[[evaluate]]\nuse = \"mine\"\n"));
  EXPECT_THAT(experiment("evaluator"), Not(HasSubstr("lengths")));
}

TEST(Scaffold, RefusesOddKindsAndNames) {
  const auto refusal = [](const std::string& kind, const std::string& name) {
    try {
      new_plugin(kind, name, true);
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_THAT(refusal("positionl", "mine"), HasSubstr("did you mean 'positional'?"));
  for (const char* name : {"", "Mine", "1st", "a-b", "a/b", "../x", "\xc3\xa9"})
    EXPECT_THAT(refusal("positional", name), HasSubstr("use lower-case letters, digits and '_', with a letter first"))
        << name;
}

}  // namespace
}  // namespace assay::cli
