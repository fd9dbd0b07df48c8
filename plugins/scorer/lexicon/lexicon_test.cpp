// Words of a list and their places.
#include <gmock/gmock.h>

#include "assay/scorer.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

TEST(Lexicon, ScoresAndBlamesItsWords) {
  FakeEvaluation context;
  const auto lexicon = make<Scorer>("lexicon", {{"words", {"Bad", "foul"}}});
  EXPECT_THAT(lexicon->score(context, {"bad", "a BAD one", "badly", "", "foul"}), ElementsAre(1, 1, 0, 0, 1));
  const auto parts = lexicon->attribute(context, "a bad\nand foul bad");
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].begin, 2);
  EXPECT_EQ(parts[0].end, 5);
  EXPECT_EQ(parts[1].begin, 10);
  EXPECT_NEAR(parts[2].value, 1.0 / 3, 1e-15);
  EXPECT_THAT(lexicon->attribute(context, "good"), IsEmpty());
  EXPECT_EQ(lexicon->judge(), make<Scorer>("lexicon", {{"words", {"foul", "bad"}}})->judge());
}

// Without words a lexicon has the toxic ones of the generated world, or none and says so.
TEST(Lexicon, KnowsTheWordsOfAGeneratedWorld) {
  struct World final : FakeEvaluation {
    explicit World(const nlohmann::json& parameters) : made(make<Dataset>("dialogue_planted", parameters)) {}
    const Dataset& dataset() const override { return *made; }
    Made<Dataset> made;
  };
  World context({{"train", 50}, {"toxic_words", 2}});
  const auto lexicon = make<Scorer>("lexicon");
  EXPECT_THAT(lexicon->score(context, {"ba zwavax", "zvavax", "zxavax", "qlala"}), ElementsAre(1, 1, 0, 0));
  EXPECT_EQ(lexicon->attribute(context, "ba zwavax").at(0).begin, 3);
  World unmarked({{"train", 50}, {"documents", "turns"}});
  EXPECT_THAT([&] { make<Scorer>("lexicon")->score(unmarked, {"a"}); },
              ThrowsMessage<UserError>(HasSubstr("the dataset marks no word as toxic")));
}

TEST(Lexicon, ScoresThatAreNotScoresAreRefused) {
  struct Wrong final : Scorer {
    std::vector<double> given;
    std::vector<double> score(EvaluationContext&, const std::vector<std::string>&) override { return given; }
    std::vector<Attribution> attribute(EvaluationContext&, const std::string&) override { return {}; }
    std::string judge() const override { return "wrong"; }
  } wrong;
  FakeEvaluation context;
  for (const auto& [given, message] : {std::pair{std::vector<double>{0.5}, "gave 1 scores for 2 texts"},
                                       {std::vector<double>{0.5, std::nan("")}, "gave the score nan"},
                                       {std::vector<double>{0.5, 1.5}, "it must be in [0, 1]"}}) {
    wrong.given = given;
    EXPECT_THAT([&] { scores_of(wrong, context, {"a", "b"}); }, ThrowsMessage<PluginError>(HasSubstr(message)));
  }
}

}  // namespace
}  // namespace assay::testing
