// Rows of a dialogue: the turns before, cut from their beginning, and the turn that is learned.
#include <gmock/gmock.h>

#include "../../shared/dialogue.h"
#include "assay/dialogue.h"
#include "assay/model.h"
#include "assay/transform.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

struct Rig {
  explicit Rig(const json& parameters = json::object()) : transform(make<Transform>("dialogue", parameters)) {
    transform->bind(vocabulary);
  }
  std::vector<Sample> operator()(const std::vector<dialogue::Turn>& turns) const {
    return transform->sequences({"", "d", {{dialogue::kTurns, dialogue::written(turns)}}}, Draws(1, "rows"));
  }
  static std::string text(const Sample& row) {  // the end of text as '.'
    std::string all;
    for (const auto id : row.tokens) all += id == 256 ? '.' : static_cast<char>(id);
    return all;
  }
  Made<Tokenizer> bytes = make<Tokenizer>("bytes");
  Vocabulary vocabulary{*bytes, 257, {{kEndOfText, 256}}};
  Made<Transform> transform;
};

const std::vector<dialogue::Turn> kTurns{{"a", "one"}, {"b", "two"}, {"a", ""}, {"b", "three"}};

TEST(DialogueRows, EveryTurnButTheFirstIsARow) {
  const auto rows = Rig()(kTurns);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(Rig::text(rows[0]), "one.two.");
  EXPECT_EQ(Rig::text(rows[1]), "one.two..");
  EXPECT_EQ(Rig::text(rows[2]), "one.two..three.");
  EXPECT_EQ(rows[2].source, 9);
  EXPECT_THAT(rows[0].loss_weight, ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  EXPECT_THAT(Rig(json{{"loss_on", "all"}})(kTurns)[0].loss_weight, IsEmpty());
}

TEST(DialogueRows, TheLastTokensOfTheHistoryAreKept) {
  const auto rows = Rig(json{{"history", 5}})(kTurns);
  EXPECT_EQ(Rig::text(rows[1]), ".two..");
  EXPECT_EQ(Rig::text(rows[2]), "two..three.");
  EXPECT_EQ(rows[2].source, 5);
  EXPECT_EQ(Rig::text(Rig(json{{"max_turn_tokens", 2}})(kTurns)[2]), "on.tw..th.");
}

TEST(DialogueRows, SpansOfTurnsAreClipped) {
  const auto whole = joined({{1, 2, 3}, {4, 5}, {}}, 9, 100);
  EXPECT_THAT(whole.tokens, ElementsAre(1, 2, 3, 9, 4, 5, 9, 9));
  EXPECT_THAT(whole.turns, ElementsAre(Span{0, 3}, Span{4, 6}, Span{7, 7}));
  EXPECT_EQ(whole.cut, 0);
  const auto cut = joined({{1, 2, 3}, {4, 5}, {}}, 9, 6);
  EXPECT_THAT(cut.tokens, ElementsAre(3, 9, 4, 5, 9, 9));
  EXPECT_THAT(cut.turns, ElementsAre(Span{0, 1}, Span{2, 4}, Span{5, 5}));
  EXPECT_EQ(cut.cut, 2);
  EXPECT_THAT(joined({{1, 2, 3}, {4, 5}}, 9, 2).turns, ElementsAre(Span{0, 0}, Span{0, 1}));
}

TEST(DialogueRows, DocumentsWithoutTurnsHaveNoRows) {
  const Rig rig;
  EXPECT_THAT(rig.transform->sequences({"text", "d", {}}, Draws(1, "rows")), IsEmpty());
  EXPECT_THAT(
      [&] {
        rig.transform->sequences({"", "d7", {{dialogue::kTurns, "no list"}}}, Draws(1, "rows"));
      },
      ThrowsMessage<UserError>(HasSubstr("document 'd7': its field 'turns' is not a JSON list")));
}

TEST(DialogueRows, LossOnAllNeedsAModelThatPredictsItsInput) {
  struct WithEncoder : FakeModel {
    bool has_encoder() const override { return true; }
  } encoder;
  FakeModel decoder;
  Assembly assembly;
  assembly.model = &encoder;
  EXPECT_THAT(Rig(json{{"loss_on", "all"}}).transform->validate(assembly),
              ElementsAre(HasSubstr("an encoder reads it")));
  EXPECT_THAT(Rig().transform->validate(assembly), IsEmpty());
  assembly.model = &decoder;
  EXPECT_THAT(Rig(json{{"loss_on", "all"}}).transform->validate(assembly), IsEmpty());
}

}  // namespace
}  // namespace assay::testing
