// Views as strings, as the paper's examples have them; masks and sources; the added tokens and their ids.
#include "../../shared/norm_views.h"

#include <gmock/gmock.h>

#include <optional>
#include <set>

#include "assay/model.h"
#include "assay/transform.h"
#include "base/sha256.h"
#include "fakes.h"
#include "unit/source_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Document row() {
  return {"",
          "rot/s/1/H/7/1",
          {{"situation", "lending a kite"},
           {"rot", "It's kind to share."},
           {"rot-agree", "3"},
           {"rot-categorization", "social-norms|advice"},
           {"rot-moral-foundations", "loyalty-betrayal|care-harm"},
           {"rot-char-targeting", "char-1"},
           {"rot-judgment", "it's kind"},
           {"action", "sharing"},
           {"action-agency", "agency"},
           {"action-moral-judgment", "-1"},
           {"action-agree", "3"},
           {"action-legal", "legal"},
           {"action-pressure", "-1"},
           {"action-hypothetical", "hypothetical"},
           {"characters", "narrator|a friend"}}};
}

// The transform with the vocabulary of a run over bytes: 256 bytes, the end of text, and the added tokens.
class Bound {
 public:
  explicit Bound(const json& parameters) : transform_(make<Transform>("norm_views", parameters)) {
    SpecialTokens tokens;
    tokens.declare(kEndOfText);
    transform_->special_tokens(tokens);
    std::map<std::string, int64_t> special;
    for (const auto& name : tokens.names()) special.emplace(name, 256 + static_cast<int64_t>(special.size()));
    for (const auto& [name, id] : special) names_[static_cast<int32_t>(id)] = name == kEndOfText ? "<eos>" : name;
    vocabulary_.emplace(*tokenizer_, 256 + static_cast<int64_t>(special.size()), special);
    transform_->bind(*vocabulary_);
  }
  std::vector<Sample> operator()(const Document& document, uint64_t seed = 1) const {
    return transform_->sequences(document, Draws(seed, "views"));
  }
  // Added tokens are set apart by spaces.
  std::string text(const std::vector<int32_t>& ids) const {
    std::string text;
    bool after_token = false;
    for (const auto id : ids) {
      const auto name = names_.find(id);
      if (name == names_.end()) {
        text += (after_token ? " " : "") + std::string(1, static_cast<char>(id));
      } else {
        text += (text.empty() ? "" : " ") + name->second;
      }
      after_token = name != names_.end();
    }
    return text;
  }
  std::vector<std::string> texts(const Document& document, uint64_t seed = 1) const {
    std::vector<std::string> all;
    for (const auto& sample : (*this)(document, seed)) all.push_back(sample.view + ": " + text(sample.tokens));
    return all;
  }
  const Transform& operator*() const { return *transform_; }
  const std::map<int32_t, std::string>& names() const { return names_; }

 private:
  Made<Transform> transform_;
  Made<Tokenizer> tokenizer_ = make<Tokenizer>("bytes");
  std::map<int32_t, std::string> names_;
  std::optional<Vocabulary> vocabulary_;
};

TEST(NormViews, OfARuleOfThumb) {
  EXPECT_THAT(
      Bound(json{{"views", "4"}}).texts(row()),
      ElementsAre("controlled: lending a kite [attrs] <advice> <social-norms> <care-harm> <loyalty-betrayal> "
                  "<most> [rot] It's kind to share. <eos>",
                  "plain: lending a kite [rot] It's kind to share. <eos>",
                  "model_choice: lending a kite [rot_and_attrs] It's kind to share. <advice> <social-norms> "
                  "<care-harm> <loyalty-betrayal> <most> <eos>",
                  "classify: lending a kite [rot] It's kind to share. [attrs] <advice> <social-norms> <care-harm> "
                  "<loyalty-betrayal> <most> <eos>"));
  EXPECT_EQ(Bound(json{{"views", "3"}}).texts(row()).size(), 3u);
  EXPECT_THAT(Bound(json{{"views", "plain"}}).texts(row()), ElementsAre(HasSubstr("plain: ")));
}

// The paper's example: <agency> <bad> <most> <legal> <against> <hypothetical>.
TEST(NormViews, OfAnAction) {
  EXPECT_THAT(
      Bound(json{{"target", "action"}, {"views", "4"}}).texts(row()),
      ElementsAre("controlled: lending a kite [attrs] <agency> <bad> <most> <legal> <against> <hypothetical> "
                  "[action] sharing <eos>",
                  "plain: lending a kite [action] sharing <eos>",
                  "model_choice: lending a kite [action_and_attrs] sharing <agency> <bad> <most> <legal> <against> "
                  "<hypothetical> <eos>",
                  "classify: lending a kite [action] sharing [attrs] <agency> <bad> <most> <legal> <against> "
                  "<hypothetical> <eos>"));
}

// Byte for byte what tests/vectors/norm_views.py makes of the hand-written rows.
TEST(NormViews, OfTheHandWrittenRows) {
  const auto file = source_folder() / "plugins/dataset/norms/synthetic.tsv";
  const auto data = make<Dataset>("norms", {{"path", file.string()}, {"divide", "situation"}, {"bad", "with"}});
  std::multiset<std::string> lines;
  for (const std::string target : {"rot", "action"}) {
    const Bound bound(json{{"target", target}, {"views", "4"}});
    for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest})
      for (int64_t i = 0; i < data->size(split); ++i)
        for (const auto& text : bound.texts(data->document(split, i))) lines.insert(target + " " + text + "\n");
  }
  std::string all;
  for (const auto& line : lines) all += line;
  EXPECT_EQ(lines.size(), 2148u);
  EXPECT_EQ(base::sha256(all), "bd4a186cc1b1d2a528f515d2e970698d1e76f687f692543395aacd91d1132e34");
}

TEST(NormViews, MissingCellsAreLeftOut) {
  auto document = row();
  document.fields.erase("rot-agree");
  document.fields["rot-moral-foundations"] = "";
  EXPECT_THAT(
      Bound(json{{"views", "controlled"}}).texts(document),
      ElementsAre("controlled: lending a kite [attrs] <advice> <social-norms> [rot] It's kind to share. <eos>"));
  document.fields.erase("action");
  EXPECT_TRUE(Bound(json{{"target", "action"}}).texts(document).empty());
  document.fields.erase("situation");
  EXPECT_TRUE(Bound(json{}).texts(document).empty());
  EXPECT_TRUE(Bound(json{{"views", "demo"}}).texts(document).empty());
}

// The dataset has counted them.
TEST(NormViews, ValuesOutsideTheirSetsAreLeftOut) {
  auto document = row();
  document.fields["rot-agree"] = "9";
  document.fields["rot-categorization"] = "social-norms|kindness|advice";
  EXPECT_THAT(
      Bound(json{{"views", "controlled"}}).texts(document),
      ElementsAre(
          "controlled: lending a kite [attrs] <advice> <social-norms> <care-harm> <loyalty-betrayal> [rot] It's kind "
          "to share. <eos>"));
}

TEST(NormViews, MasksAndSources) {
  const Bound output(json{{"views", "controlled"}}), all(json{{"views", "controlled"}, {"loss_on", "all"}});
  const auto sample = output(row()).at(0);
  const auto input = std::string("lending a kite").size() + 7;  // [attrs], five values, [rot]
  EXPECT_EQ(sample.source, static_cast<int64_t>(input));
  EXPECT_EQ(sample.tokens.size(), input + std::string("It's kind to share.").size() + 1);
  ASSERT_EQ(sample.loss_weight.size(), sample.tokens.size());
  for (size_t i = 0; i < sample.tokens.size(); ++i) EXPECT_EQ(sample.loss_weight[i], i < input ? 0 : 1) << i;
  EXPECT_TRUE(all(row()).at(0).loss_weight.empty());
  EXPECT_EQ(all(row()).at(0).source, sample.source);
}

TEST(NormViews, TextsMayBeCut) {
  EXPECT_THAT(Bound(json{{"views", "plain"}, {"max_text_tokens", 4}}).texts(row()),
              ElementsAre("plain: lend [rot] It's <eos>"));
}

// Every attribute is on the side that its draws give, in the order of the released code.
TEST(NormViews, Demo) {
  const Bound none(json{{"views", "demo"}, {"attribute_dropout", 1.0}}),
      all(json{{"views", "demo"}, {"attribute_dropout", 0.0}});
  EXPECT_THAT(
      none.texts(row()),
      ElementsAre("demo: [situation] lending a kite [/situation] [rot] It's kind to share. [/rot] [action] sharing "
                  "[/action] [judgment] it's kind [/judgment] <eos>"));
  const std::vector<std::string> tagged{
      "[rot-char-targeting] a friend [/rot-char-targeting]",
      "[rot-categorization] <advice> <social-norms> [/rot-categorization]",
      "[rot-moral-foundations] <care-harm> <loyalty-betrayal> [/rot-moral-foundations]",
      "[rot-agree] <most> [/rot-agree]",
      "[action-agency] <agency> [/action-agency]",
      "[action-moral-judgment] <bad> [/action-moral-judgment]",
      "[action-agree] <most> [/action-agree]",
      "[action-legal] <legal> [/action-legal]",
      "[action-pressure] <against> [/action-pressure]",
      "[action-hypothetical] <hypothetical> [/action-hypothetical]"};
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Draws draws(seed, "views");
    std::string input = "demo: [situation] lending a kite [/situation]", output;
    for (uint64_t i = 0; i < tagged.size(); ++i) (draws.uniform(2 * i + 1) < 0.5 ? input : output) += " " + tagged[i];
    EXPECT_THAT(all.texts(row(), seed),
                ElementsAre(input + output +
                            " [rot] It's kind to share. [/rot] [action] sharing [/action] [judgment] it's "
                            "kind [/judgment] <eos>"));
  }
  // The share that is dropped, over many rows.
  const Bound some(json{{"views", "demo"}});
  int64_t left = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    const auto text = some.texts(row(), seed).at(0);
    for (const auto& tag : tagged) left += text.find(tag) != std::string::npos;
  }
  EXPECT_NEAR(static_cast<double>(left) / 20000, 0.9, 0.007);
}

TEST(NormViews, ACharacterIsNamedByItsText) {
  auto document = row();
  const Bound all(json{{"views", "demo"}, {"attribute_dropout", 0.0}});
  document.fields["rot-char-targeting"] = "char-none";
  EXPECT_THAT(all.texts(document).at(0), HasSubstr("[rot-char-targeting] nobody [/rot-char-targeting]"));
  document.fields["rot-char-targeting"] = "char-5";  // not among the listed ones
  EXPECT_EQ(all.texts(document).at(0).find("[rot-char-targeting]"), std::string::npos);
}

// The released decoder adds 67 tokens: these, and <eos> and <pad>, which are the core's end of text and no token here.
TEST(NormViews, AddedTokensAreSortedAndDistinct) {
  const auto added = norms::added_tokens();
  EXPECT_EQ(added.size() + 2, 67u);
  EXPECT_EQ(norms::value_words().size(), 34u);
  const Bound one(json{{"views", "3"}}), other(json{{"views", "demo"}, {"target", "action"}});
  EXPECT_EQ(one.names(), other.names());  // so runs with different views share their vocabulary
  EXPECT_EQ(one.names().size(), 66u);
  std::vector<std::string> in_order;
  for (const auto& [id, name] : one.names()) in_order.push_back(name);
  EXPECT_EQ(in_order.front(), "<eos>");
  EXPECT_TRUE(std::is_sorted(in_order.begin() + 1, in_order.end()));
  EXPECT_EQ(one.names().at(257), "<advice>");
  EXPECT_EQ(one.names().at(321), "[situation]");
}

TEST(NormViews, ValuesStartAsTheirWords) {
  SpecialTokens tokens;
  make<Transform>("norm_views")->special_tokens(tokens);
  EXPECT_EQ(tokens.words().size(), 34u);
  EXPECT_EQ(tokens.words().at("<very-bad>"), " very bad");
  EXPECT_EQ(tokens.words().at("<all>"), " all");
  EXPECT_EQ(tokens.words().count("[rot]"), 0u);
}

class HasAll final : public Tokenizer {
 public:
  int64_t size() const override { return 400; }
  std::vector<int32_t> encode(std::string_view) const override { return {}; }
  std::string decode(const std::vector<int32_t>&) const override { return ""; }
};

TEST(NormViews, RefusesATokenizerThatHasSuchAToken) {
  const auto transform = make<Transform>("norm_views");
  std::map<std::string, int64_t> special{{kEndOfText, 400}};
  for (const auto& name : norms::added_tokens()) special.emplace(name, 400 + static_cast<int64_t>(special.size()));
  const HasAll tokenizer;
  EXPECT_NO_THROW(transform->bind(Vocabulary(tokenizer, 470, special)));
  special["<all>"] = 12;
  EXPECT_THAT([&] { transform->bind(Vocabulary(tokenizer, 470, special)); },
              ThrowsMessage<UserError>(HasSubstr("the tokenizer has the token '<all>' already")));
}

TEST(NormViews, LossOnAllNeedsAModelThatPredictsItsInput) {
  struct WithEncoder : FakeModel {
    bool has_encoder() const override { return true; }
  };
  WithEncoder encoder;
  FakeModel decoder;
  const auto findings = [](const Model& model, const char* loss_on) {
    Assembly assembly;
    assembly.model = &model;
    return make<Transform>("norm_views", {{"loss_on", loss_on}})->validate(assembly);
  };
  EXPECT_THAT(findings(encoder, "all"), ElementsAre(HasSubstr("set loss_on = \"output\"")));
  EXPECT_TRUE(findings(encoder, "output").empty());
  EXPECT_TRUE(findings(decoder, "all").empty());
}

}  // namespace
}  // namespace assay::testing
