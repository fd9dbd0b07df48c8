// Rows with labels of one or several classes, and what they need.
#include <gmock/gmock.h>

#include "assay/transform.h"
#include "fakes.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Rig {
  explicit Rig(json parameters) {
    if (!parameters.contains("field")) parameters["field"] = "mood";
    if (!parameters.contains("classes")) parameters["classes"] = {"sad", "calm", "glad"};
    transform.emplace("labelled", parameters);
    (*transform)->bind(vocabulary);
  }
  std::vector<Sample> operator()(const Document& document) const {
    return (*transform)->sequences(document, Draws(1, "test"));
  }
  Made<Tokenizer> tokenizer = make<Tokenizer>("bytes");
  Vocabulary vocabulary{*tokenizer, 257, {{kEndOfText, 256}}};
  std::optional<Made<Transform>> transform;
};

const Document kDocument{"whole", "d1", {{"one", "ab"}, {"two", "cde"}, {"mood", "glad"}, {"moods", "glad|sad"}}};

TEST(Labelled, ReadsFieldsAndTheirLabel) {
  const auto rows = Rig(json{{"texts", {"one", "two"}}})(kDocument);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_THAT(rows[0].tokens, ElementsAre('a', 'b', 256, 'c', 'd', 'e'));
  EXPECT_THAT(rows[0].channels.at("label"), ElementsAre(0, 0, 1));
  EXPECT_EQ(rows[0].source, 0);
  EXPECT_THAT(Rig(json::object())(kDocument).at(0).tokens, ElementsAre('w', 'h', 'o', 'l', 'e'));
  EXPECT_THAT(Rig(json{{"texts", {"two", "one"}}, {"max_tokens", 2}})(kDocument).at(0).tokens,
              ElementsAre('c', 'd', 256, 'a', 'b'));
}

TEST(Labelled, AFieldMayListSeveralLabels) {
  const Rig rig(json{{"field", "moods"}, {"multiple", true}});
  EXPECT_THAT(rig(kDocument).at(0).channels.at("label"), ElementsAre(1, 0, 1));
  auto none = kDocument;
  none.fields["moods"] = "";
  EXPECT_THAT(rig(none).at(0).channels.at("label"), ElementsAre(0, 0, 0));
}

TEST(Labelled, WithoutLabelOrFieldThereIsNoRow) {
  auto document = kDocument;
  document.fields.erase("mood");
  EXPECT_TRUE(Rig(json::object())(document).empty());
  EXPECT_TRUE(Rig(json{{"texts", {"none"}}})(kDocument).empty());
}

TEST(Labelled, RefusesLabelsThatAreNoClass) {
  auto document = kDocument;
  document.fields["mood"] = "angry";
  EXPECT_THAT([&] { Rig(json::object())(document); },
              ThrowsMessage<UserError>(HasSubstr("document 'd1': 'angry' of field 'mood' is not among the classes")));
  EXPECT_THAT([&] { Rig(json{{"classes", {"one"}}}); }, ThrowsMessage<PluginError>(HasSubstr("two classes or more")));
}

}  // namespace
}  // namespace assay::testing
