// Layers of configuration, each case worked out by hand and compared as JSON without regard to the order of keys.
#include "document/merge.h"

#include <nlohmann/json.hpp>

#include "document/key_path.h"
#include "unit/plan/fixture.h"

namespace assay::testing {
namespace {

nlohmann::json merged(const std::vector<std::string>& texts, std::string* error = nullptr) {
  document::Node root{document::Table{}, {}};
  document::Diagnostics diagnostics;
  for (const auto& text : texts) {
    auto node = parsed(text);
    document::expand_shorthands(node, diagnostics);
    document::merge_document(root, std::move(node), diagnostics);
  }
  try {
    diagnostics.throw_if_any();
  } catch (const document::ConfigErrors& errors) {
    if (!error) throw;
    *error = errors.what();
  }
  return document::to_json(root);
}

void expect_merged(const std::vector<std::string>& texts, const char* json) {
  EXPECT_EQ(merged(texts), nlohmann::json::parse(json));
}

TEST(Merge, TablesMergeByKeyAndLaterWins) {
  expect_merged({"[model]\nuse = 'gpt'\nlayers = 2\nwidth = 8", "[model]\nlayers = 3"},
                R"({"model":{"use":"gpt","layers":3,"width":8}})");
}

TEST(Merge, AChangedUseReplacesTheTableExceptForKeptKeys) {
  const std::string base = "[optimizer]\nuse = 'adamw'\nlr = 1\neps = 2\nbetas = 3";
  expect_merged({base, "[optimizer]\nuse = 'sgd'\nmomentum = 4"}, R"({"optimizer":{"use":"sgd","momentum":4}})");
  expect_merged({base, "[optimizer]\nuse = 'sgd'\nkeep = ['lr', 'eps']\neps = 9"},
                R"({"optimizer":{"use":"sgd","lr":1,"eps":9}})");
  expect_merged({base, "optimizer = 'sgd'"}, R"({"optimizer":{"use":"sgd"}})");
  expect_merged({base, "optimizer = 'adamw'"}, R"({"optimizer":{"use":"adamw","lr":1,"eps":2,"betas":3}})");
  expect_merged({base, "[optimizer]\nuse = 'adamw'\nlr = 5"},
                R"({"optimizer":{"use":"adamw","lr":5,"eps":2,"betas":3}})");
}

TEST(Merge, AChildIsReplacedWithItsModel) {
  const std::string base = "[model]\nuse = 'gpt'\n[positional]\nuse = 'alibi'\nmax_exponent = 4";
  expect_merged({base, "positional = 'none'"}, R"({"model":{"use":"gpt","positional":{"use":"none"}}})");
  expect_merged({base, "[positional]\nmax_exponent = 5"},
                R"({"model":{"use":"gpt","positional":{"use":"alibi","max_exponent":5}}})");
  expect_merged({base, "model = 'bert'"}, R"({"model":{"use":"bert"}})");
  expect_merged({base, "[model]\nuse = 'bert'\nkeep = ['positional']"},
                R"({"model":{"use":"bert","positional":{"use":"alibi","max_exponent":4}}})");
}

TEST(Merge, EntriesMergeByLabel) {
  const std::string base = "[[evaluate]]\nuse = 'lm'\nn = 1\n[[evaluate]]\nuse = 'lm'\nlabel = 'far'\nn = 2";
  expect_merged({base, "[[evaluate]]\nlabel = 'far'\nn = 3\n[[evaluate]]\nuse = 'fim'"},
                R"({"evaluate":[{"use":"lm","n":1},{"use":"lm","label":"far","n":3},{"use":"fim"}]})");
  expect_merged({base, "[[evaluate]]\nlabel = 'lm'\nremove = true"},
                R"({"evaluate":[{"use":"lm","label":"far","n":2}]})");
  expect_merged({"objective = 'mle'", "objective = ['mle', 'simctg']"},
                R"({"objective":[{"use":"mle"},{"use":"simctg"}]})");
}

TEST(Merge, ListsOfTheLastFileReplaceEarlierOnes) {
  expect_merged({"[[claim]]\nsays = 'a'\n[[sweep]]\ngrid = 1", "[[claim]]\nsays = 'b'"},
                R"({"claim":[{"says":"b"}],"sweep":[{"grid":1}]})");
}

TEST(Merge, ABudgetReplacesTheInheritedOne) {
  expect_merged({"[train]\ntokens = 100\nbatch = 2", "[train]\nsteps = 5"}, R"({"train":{"steps":5,"batch":2}})");
}

TEST(Merge, SeedsAreOneValue) {
  expect_merged({"[experiment]\nseeds = '1..3'", "[experiment.seeds]\ninit = 1\ndata = 2"},
                R"({"experiment":{"seeds":{"init":1,"data":2}}})");
}

TEST(Merge, QuotedAndBareDottedKeysAreTheSame) {
  EXPECT_EQ(document::to_json(parsed("[a]\n'b.c' = 1\nb.d = 2\n'b.e.f' = 3")),
            nlohmann::json::parse(R"({"a":{"b":{"c":1,"d":2,"e":{"f":3}}}})"));
}

TEST(Merge, PositionsAreThoseOfTheLastLayer) {
  document::Diagnostics diagnostics;
  auto base = parsed("[model]\nlayers = 1\nwidth = 2\n");
  document::merge_document(base, parsed("\n\n[model]\n  width = 3\n"), diagnostics);
  EXPECT_EQ(document::nearest_position(base, {"model", "layers"}).text(), "t.toml:2:1");
  EXPECT_EQ(document::nearest_position(base, {"model", "width"}).text(), "t.toml:4:3");
  EXPECT_EQ(document::nearest_position(base, {"model", "width", "none"}).text(), "t.toml:4:3");
}

TEST(Merge, TablesKeepTheOrderOfTheFile) {
  std::string keys;
  const auto root = parsed("z = 1\nb = 2\n[y]\n[a]\nm.q = 1\n");
  for (const auto& entry : root.as<document::Table>()->entries) keys += entry.key;
  EXPECT_EQ(keys, "zbya");
}

}  // namespace
}  // namespace assay::testing
