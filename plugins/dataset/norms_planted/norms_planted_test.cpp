// The generated world: texts show the attributes of their row exactly, situations differ and are in one split.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "../../shared/planted_norms.h"
#include "assay/dataset.h"
#include "harness.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
namespace planted = norms::planted;

constexpr Split kSplits[] = {Split::kTrain, Split::kValidation, Split::kTest};

std::string cell(const Document& document, size_t column) {
  const auto found = document.fields.find(norms::columns()[column].name);
  return found == document.fields.end() ? "" : found->second;
}

TEST(NormsPlanted, TextsShowEveryAttribute) {
  const auto data = make<Dataset>("norms_planted", {{"train", 3000}, {"held_out", 200}, {"null_rate", 0.1}});
  int64_t rows = 0, empty_sets = 0, nulls = 0;
  for (const auto split : kSplits)
    for (int64_t i = 0; i < data->size(split); ++i, ++rows) {
      const auto document = data->document(split, i);
      for (const auto& [markers, column] :
           {std::pair{planted::markers_of_rot(), norms::kRot}, {planted::markers_of_action(), norms::kAction}})
        for (const auto& [attribute, shown] : planted::attributes_in(markers, cell(document, column)))
          EXPECT_EQ(shown, cell(document, attribute)) << document.id << " " << norms::columns()[attribute].name;
      EXPECT_TRUE(planted::is_relevant(cell(document, norms::kRot), cell(document, norms::kSituation)));
      EXPECT_TRUE(planted::is_relevant(cell(document, norms::kAction), cell(document, norms::kSituation)));
      empty_sets += cell(document, norms::kFoundations).empty();
      nulls += cell(document, norms::kRotAgree).empty();
    }
  EXPECT_GT(rows, 6000);
  EXPECT_GT(empty_sets, 100);
  EXPECT_NEAR(static_cast<double>(nulls) / static_cast<double>(rows), 0.1, 0.015);
}

// A world worked out by hand from the rules of the texts.
TEST(NormsPlanted, BuildsTextsByItsRules) {
  planted::Row row;
  row[norms::kJudgment] = "-1";
  row[norms::kPressure] = "2";
  row[norms::kRotAgree] = "0";
  row[norms::kCategorization] = "social-norms|advice";
  row[norms::kFoundations] = "";
  row[norms::kAgency] = "agency";
  row[norms::kActionAgree] = "3";
  row[norms::kLegal] = "tolerated";
  row[norms::kHypothetical] = "explicit";
  EXPECT_EQ(planted::rot_text(row, {0, 1, 2}),
            "it is rude to demand sharing the lamp with a teacher oddly wisely politely");
  EXPECT_EQ(planted::action_text(row, {0, 1, 2}), "rudely demanding sharing the lamp actively accepted loosely truly");
}

TEST(NormsPlanted, ReadsWhatAModelMayWrite) {
  const auto shown = [](const char* text) { return planted::attributes_in(planted::markers_of_rot(), text); };
  EXPECT_EQ(shown("it is kind and rude to support").at(norms::kJudgment), planted::kContradiction);
  EXPECT_EQ(shown("gentle pure even").at(norms::kFoundations), "care-harm|fairness-cheating|sanctity-degradation");
  EXPECT_EQ(shown("kinder supports").at(norms::kJudgment), "");
  EXPECT_FALSE(planted::is_relevant("sharing the kite", "sharing the lamp with my aunt"));
  EXPECT_FALSE(planted::is_relevant("sharing the kite and the lamp", "sharing the lamp with my aunt"));
  EXPECT_FALSE(planted::is_relevant("", "sharing the lamp with my aunt"));
}

// No word stands for two things, so that every text can be read in one way.
TEST(NormsPlanted, WordsAreDistinct) {
  for (const auto* markers : {&planted::markers_of_rot(), &planted::markers_of_action()}) {
    std::multiset<std::string> words{"it", "is", "to", "the", "with", "a", "my"};
    for (const auto* list : {&planted::activities(), &planted::things(), &planted::people()})
      words.insert(list->begin(), list->end());
    for (const auto& marker : *markers) {
      EXPECT_EQ(marker.words.size(), norms::values_of(marker.column).size());
      words.insert(marker.words.begin(), marker.words.end());
    }
    for (const auto& word : words) EXPECT_EQ(words.count(word), 1u) << word;
  }
}

TEST(NormsPlanted, SituationsDifferAndAreInOneSplit) {
  const auto data = make<Dataset>("norms_planted", {{"train", 4000}, {"held_out", 500}, {"thing_words", 12}});
  std::map<std::string, std::set<Split>> splits, splits_of_pair;
  std::set<std::string> situations, areas, agencies, hypothetical;
  for (const auto split : kSplits)
    for (int64_t i = 0; i < data->size(split); ++i) {
      const auto document = data->document(split, i);
      splits[cell(document, norms::kSituationId)].insert(split);
      const auto situation = cell(document, norms::kSituation);  // "sharing the kite with my aunt"
      splits_of_pair[situation.substr(0, situation.find(" with "))].insert(split);
      situations.insert(cell(document, norms::kSituation));
      areas.insert(cell(document, norms::kArea));
      agencies.insert(cell(document, norms::kAgency));
      hypothetical.insert(cell(document, norms::kHypothetical));
      EXPECT_EQ(cell(document, norms::kRotBad), "0");
      const bool nobody = cell(document, norms::kCharInvolved) == "char-none";
      EXPECT_TRUE(!nobody || cell(document, norms::kHypothetical).empty());
    }
  EXPECT_EQ(splits.size(), situations.size());
  EXPECT_GT(situations.size(), 4900u);  // some have only bad RoTs
  for (const auto& [id, in] : splits) EXPECT_EQ(in.size(), 1u) << id;
  // 288 pairs of activity and thing: 28 in each of validation and test.
  std::map<Split, int64_t> pairs;
  for (const auto& [pair, in] : splits_of_pair) {
    EXPECT_EQ(in.size(), 1u) << pair;
    ++pairs[*in.begin()];
  }
  EXPECT_EQ(pairs, (std::map<Split, int64_t>{{Split::kTrain, 232}, {Split::kValidation, 28}, {Split::kTest, 28}}));
  EXPECT_EQ(areas.size(), 4u);
  EXPECT_EQ(agencies.size(), 2u);
  EXPECT_EQ(hypothetical.size(), 6u);
}

TEST(NormsPlanted, RatesAreThoseRequested) {
  planted::World world;
  world.train = 5000;
  world.bad_rate = 0.2;
  const planted::Situations situations(world);
  int64_t bad = 0, follows = 0;
  for (int64_t number = 0; number < world.train; ++number)
    for (int64_t rot = 0; rot < world.rots; ++rot) {
      bad += planted::is_bad(world, number, rot);
      const auto row = planted::row_of(world, situations[number], "train", number, rot);
      EXPECT_EQ(row[norms::kRotBad] == "1", planted::is_bad(world, number, rot));
      if (row[norms::kRotBad] == "0")
        follows += row[norms::kJudgment] == std::to_string(situations[number].activity % 5 - 2);
    }
  EXPECT_NEAR(static_cast<double>(bad) / 10000, 0.2, 0.012);
  // Half of the judgments follow from the activity, and a fifth of the others by chance.
  EXPECT_NEAR(static_cast<double>(follows) / static_cast<double>(10000 - bad), 0.5 + 0.5 / 5, 0.017);
}

TEST(NormsPlanted, RefusesMoreSituationsThanWordsGive) {
  const auto error = [](const json& parameters) {
    try {
      make<Dataset>("norms_planted", parameters);
    } catch (const PluginError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  // 10 pairs, of which one is for validation and one for test, and 11 people.
  json words{{"activity_words", 2}, {"thing_words", 5}, {"person_words", 11}, {"held_out", 10}, {"train", 89}};
  EXPECT_THAT(error(words), HasSubstr("10 pairs of activity and thing are too few for 89 situations to train on and 10 "
                                      "in each of validation and test, which share no pair"));
  words["train"] = 88;
  EXPECT_EQ(error(words), "no error");
  words["held_out"] = 12;  // two pairs each
  EXPECT_THAT(error(words), HasSubstr("too few"));
}

}  // namespace
}  // namespace assay::testing
