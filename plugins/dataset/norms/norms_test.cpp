// Social Chemistry 101: what is read of hand-written rows, of a generated file and of the sample, how rows are divided,
// and what is refused.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "../../shared/planted_norms.h"
#include "../opened.h"
#include "unit/source_folder.h"
#include "unit/temporary_folder.h"

namespace assay::testing {
namespace {

using nlohmann::json;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace planted = norms::planted;

const Opened open{"norms"};
const auto kSynthetic = source_folder() / "plugins/dataset/norms/synthetic.tsv";

std::vector<Document> documents(const Dataset& data, Split split) {
  std::vector<Document> all;
  for (int64_t i = 0; i < data.size(split); ++i) all.push_back(data.document(split, i));
  return all;
}
std::vector<Document> documents(const Dataset& data) {
  std::vector<Document> all;
  for (const auto split : kSplits)
    for (auto& document : documents(data, split)) all.push_back(std::move(document));
  return all;
}

// Counts that pandas gives for the file.
TEST(Norms, CountsTheHandWrittenRows) {
  const auto data = open(kSynthetic);
  const auto counts = data->counts();
  EXPECT_EQ(counts.at("rows"), 272);
  EXPECT_EQ(counts.at("rows.split.train"), 174);
  EXPECT_EQ(counts.at("rows.split.dev"), 32);
  EXPECT_EQ(counts.at("rows.split.test-extra"), 8);
  EXPECT_EQ(counts.at("rows.split.analysis"), 10);
  EXPECT_EQ(counts.at("rows.area.confessions"), 66);
  EXPECT_EQ(counts.at("rows.area.amitheasshole"), 72);
  EXPECT_EQ(counts.at("null.rot-agree"), 4);
  EXPECT_EQ(counts.at("null.action-hypothetical"), 25);
  EXPECT_EQ(counts.at("null.rot-moral-foundations"), 67);
  EXPECT_EQ(counts.count("null.situation"), 0u);
  EXPECT_EQ(data->size(Split::kTrain), 165);  // without bad RoTs
  EXPECT_EQ(counts.at("documents.train"), 165);
  // Of 13 experiences two have no label at all; 8 characters of which six are listed are as they should be.
  EXPECT_THAT(
      data->warnings(),
      ElementsAre("1 x character index beyond the listed characters (first: synthetic.tsv:147:rot-char-targeting)",
                  HasSubstr("11 x row of action-agency = experience with labels of an action"),
                  HasSubstr("2 x row of action-char-involved = char-none with action-hypothetical (first: "
                            "synthetic.tsv:170:action-hypothetical)")));
}

TEST(Norms, FiltersRows) {
  const auto size = [](const json& parameters) {
    const auto data = open(kSynthetic, parameters);
    return data->size(Split::kTrain) + data->size(Split::kValidation) + data->size(Split::kTest);
  };
  EXPECT_EQ(size({{"divide", "situation"}, {"bad", "with"}}), 272);
  EXPECT_EQ(size({{"divide", "situation"}}), 260);
  EXPECT_EQ(size({{"divide", "situation"}, {"bad", "only"}}), 12);
  EXPECT_EQ(size({{"divide", "situation"}, {"bad", "with"}, {"areas", {"rocstories"}}}), 67);
  EXPECT_EQ(size({{"divide", "situation"}, {"bad", "with"}, {"splits", {"dev", "dev-extra"}}}), 40);
  EXPECT_EQ(size({{"divide", "situation"}, {"bad", "with"}, {"m", {3, 50}}}), 39);
  EXPECT_EQ(size({{"bad", "with"}}), 174 + 32 + 32);
}

TEST(Norms, NoSituationIsInTwoSplits) {
  const auto data = open(kSynthetic, {{"divide", "situation"}, {"bad", "with"}});
  std::map<std::string, std::set<Split>> splits;
  for (const auto split : kSplits)
    for (const auto& document : documents(*data, split)) splits[document.fields.at("situation-short-id")].insert(split);
  EXPECT_EQ(splits.size(), 82u);
  for (const auto& [id, in] : splits) EXPECT_EQ(in.size(), 1u) << id;
  EXPECT_GT(data->size(Split::kTest), 0);
}

// ---- files of a test

const char* const kHeader =
    "area\tm\tsplit\trot-agree\trot-categorization\trot-moral-foundations\trot-char-targeting\trot-bad\trot-judgment\t"
    "action\taction-agency\taction-moral-judgment\taction-agree\taction-legal\taction-pressure\taction-char-involved\t"
    "action-hypothetical\tsituation\tsituation-short-id\trot\trot-id\trot-worker-id\tbreakdown-worker-id\tn-"
    "characters\t"
    "characters\n";

planted::Row valid_row() {
  return {"confessions",   "1",        "train", "4.0",       "social-norms|advice",
          "care-harm",     "char-0",   "0",     "it's good", "sharing",
          "agency",        "1.0",      "3",     "legal",     "-2.0",
          "char-1",        "explicit", "a cat", "s/1",       "be kind",
          "rot/s/1/H/7/1", "7",        "8",     "2",         "narrator|a cat"};
}

std::string line_of(const planted::Row& row, char delimiter = '\t') {
  std::string line;
  for (size_t c = 0; c < row.size(); ++c) line += (c > 0 ? std::string(1, delimiter) : "") + row[c];
  return line + "\n";
}

struct File {
  explicit File(const std::string& content, const std::string& name = "n.tsv") { folder.write(name, content); }
  std::filesystem::path path() const { return folder / "n.tsv"; }
  TemporaryFolder folder;
};

TEST(Norms, ReadsCells) {
  auto other = valid_row();
  other[norms::kRotAgree] = "";
  other[norms::kFoundations] = "";
  other[norms::kRotJudgment] = "None";  // pandas reads it as missing, too
  other[norms::kSituation] = "\"a \"\"big\"\" cat\nand\ta dog\"";
  other[norms::kAction] = "5 \" nails";  // a quote inside a cell is text
  other[norms::kRotId] = "rot/s/1/H/7/2";
  const File file(std::string("\xef\xbb\xbf") + kHeader + line_of(valid_row()) + "\n" + line_of(other) +
                  line_of(valid_row()));
  const auto all = documents(*open(file.path()), Split::kTrain);
  ASSERT_EQ(all.size(), 3u);
  auto fields = all[0].fields;
  EXPECT_EQ(fields.at("rot-agree"), "4");
  EXPECT_EQ(fields.at("action-agree"), "3");
  EXPECT_EQ(fields.at("action-pressure"), "-2");
  EXPECT_EQ(fields.at("rot-categorization"), "social-norms|advice");
  EXPECT_EQ(fields.at("place"), "n.tsv:2");
  EXPECT_EQ(all[0].text, "a cat\nbe kind\n");
  EXPECT_EQ(all[0].id, "rot/s/1/H/7/1");
  EXPECT_EQ(all[2].id, "rot/s/1/H/7/1#2");  // another breakdown of the RoT
  fields = all[1].fields;
  EXPECT_EQ(fields.count("rot-agree"), 0u);
  EXPECT_EQ(fields.count("rot-judgment"), 0u);
  EXPECT_EQ(fields.at("rot-moral-foundations"), "");  // the empty set is a value
  EXPECT_EQ(fields.at("situation"), "a \"big\" cat\nand\ta dog");
  EXPECT_EQ(fields.at("action"), "5 \" nails");
  EXPECT_EQ(fields.at("place"), "n.tsv:4");
  EXPECT_EQ(all[2].fields.at("place"), "n.tsv:6");
}

// As pandas reads it: what follows the closing quote belongs to the cell.
TEST(Norms, TextAfterAClosingQuoteIsReadAndCounted) {
  auto row = valid_row();
  row[norms::kAction] = "\"feeding\" cats";
  const File file(kHeader + line_of(valid_row()) + line_of(row));
  const auto data = open(file.path());
  EXPECT_EQ(data->document(Split::kTrain, 1).fields.at("action"), "feeding cats");
  EXPECT_THAT(data->warnings(), ElementsAre("1 x row with text after the closing quote of a cell (first: n.tsv:3)"));
}

TEST(Norms, ColumnsAreFoundByName) {
  auto header = std::string(kHeader), line = line_of(valid_row());
  header = "extra\t" + header;
  const File file(header + "x\t" + line);
  EXPECT_THAT(
      open.error(file.path()),
      HasSubstr("n.tsv:1: the column 'extra' is not one of the data's 25; remove it, or set ignore_extra_columns"));
  EXPECT_EQ(open(file.path(), {{"ignore_extra_columns", true}})->document(Split::kTrain, 0).fields.at("m"), "1");
  EXPECT_THAT(open.error(File("area\t" + std::string(kHeader) + "x\t" + line).path(), {{"ignore_extra_columns", true}}),
              HasSubstr("n.tsv:1: the header has the column 'area' twice; remove one of the two"));
  const File comma(line_of({"a", "b"}, ','));
  EXPECT_THAT(open.error(comma.path()),
              HasSubstr("columns, and none is 'area'; the data has 25 columns, separated by tabs"));
}

// Each with its place and what is allowed.
TEST(Norms, RefusesWhatItCannotRead) {
  const auto with = [](size_t column, const std::string& value) {
    auto row = valid_row();
    row[column] = value;
    return kHeader + line_of(valid_row()) + line_of(row);
  };
  const auto error = [](const std::string& content, const json& parameters = json::object()) {
    return open.error(File(content).path(), parameters);
  };
  const auto row = line_of(valid_row());
  EXPECT_THAT(error(kHeader + row + row.substr(row.find('\t') + 1)),
              HasSubstr("n.tsv:3: the row has 24 cells, and the header has 25"));
  EXPECT_THAT(error(kHeader + row + "x\t" + row), HasSubstr("n.tsv:3: the row has 26 cells, and the header has 25"));
  EXPECT_THAT(error(with(norms::kRotAgree, "4.5")),
              HasSubstr("n.tsv:3:rot-agree: '4.5' is not valid; it must be an integer from 0 to 4"));
  EXPECT_THAT(error(with(norms::kM, "one")), HasSubstr("n.tsv:3:m: 'one' is not valid; it must be one of 1, 3, 5, 50"));
  auto carriage = kHeader + row;
  carriage.insert(carriage.size() - 1, "\r");
  EXPECT_THAT(error(carriage), HasSubstr("n.tsv:2:25: the line ends with CR; convert the file to LF line ends"));
  EXPECT_THAT(error(with(norms::kAction, "\"never closed")),
              HasSubstr("n.tsv:3:10: a cell begins with a quote that is never closed"));
  EXPECT_THAT(open.error(source_folder() / "none"), HasSubstr("cannot read"));
  EXPECT_THAT(error(kHeader + row, {{"areas", {"mars"}}}),
              HasSubstr("areas: 'mars' is not valid; it must be one of confessions"));
  EXPECT_THAT(error(kHeader + row, {{"validation_fraction", 0.6}, {"test_fraction", 0.4}}), HasSubstr("below 1"));
}

TEST(Norms, ValuesOutsideTheirSetsAreCountedOrRefused) {
  auto row = valid_row();
  row[norms::kLegal] = "maybe";
  row[norms::kFoundations] = "care-harm|kindness";
  row[norms::kRotAgree] = "7";
  const auto content = kHeader + line_of(row);
  EXPECT_THAT(open(File(content).path())->warnings(),
              ElementsAre("3 x value outside its column's set (first: n.tsv:2:rot-agree)"));
  EXPECT_THAT(open.error(File(content).path(), {{"strict", true}}),
              HasSubstr("n.tsv:2:rot-agree: '7' is not valid; it must be an integer from 0 to 4"));
  row[norms::kRotAgree] = "1";
  EXPECT_THAT(
      open.error(File(kHeader + line_of(row)).path(), {{"strict", true}}),
      HasSubstr("rot-moral-foundations: 'care-harm|kindness' is not valid; it must be a list, joined by '|', of"));
  EXPECT_THAT(open(File(kHeader + line_of(valid_row())).path(), {{"strict", true}})->warnings(), IsEmpty());
}

TEST(Norms, TwoFilesMayNotShareARuleOfThumb) {
  File files(kHeader + line_of(valid_row()), "a.tsv");
  auto row = valid_row();
  row[norms::kSituation] = "another";
  files.folder.write("b.tsv", kHeader + line_of(row));
  EXPECT_THAT(open.error(files.folder.path()),
              HasSubstr("b.tsv:2:rot-id: 'rot/s/1/H/7/1' is also in a.tsv:2; remove one of the two rows"));
  row[norms::kRotId] = "rot/s/1/H/7/9";
  files.folder.write("b.tsv", kHeader + line_of(row));
  EXPECT_EQ(open(files.folder.path())->size(Split::kTrain), 2);
}

// A generated file with all areas, splits and null rules: its cells, read back, are those that were written.
TEST(Norms, ReadsAGeneratedWorldBack) {
  planted::World world;
  world.train = 60;
  world.held_out = 20;
  const planted::Situations situations(world);
  std::vector<planted::Row> rows;
  std::string content = kHeader;
  const auto& splits = norms::columns()[norms::kSplit].values;
  for (int64_t number = 0; number < world.situations(); ++number)
    for (int64_t rot = 0; rot < world.rots; ++rot) {
      rows.push_back(
          planted::row_of(world, situations[number], splits[static_cast<size_t>(number) % splits.size()], number, rot));
      content += line_of(rows.back());
    }
  const auto data = open(File(content).path(), {{"divide", "situation"}, {"bad", "with"}});
  std::map<std::string, Document> found;
  for (auto& document : documents(*data)) found.emplace(document.id, document);
  ASSERT_EQ(found.size(), rows.size());
  std::set<std::string> areas, seen_splits, bad;
  for (const auto& row : rows) {
    auto& fields = found.at(row[norms::kRotId]).fields;
    planted::Row again;
    for (size_t c = 0; c < norms::kColumns; ++c) {
      const auto cell = fields.find(norms::columns()[c].name);
      again[c] = cell == fields.end() ? "" : cell->second;
    }
    EXPECT_EQ(again, row);
    areas.insert(row[norms::kArea]), seen_splits.insert(row[norms::kSplit]), bad.insert(row[norms::kRotBad]);
  }
  EXPECT_EQ(areas.size(), 4u);
  EXPECT_EQ(seen_splits.size(), 7u);
  EXPECT_EQ(bad.size(), 2u);
  // Apart from the labels that null_rate clears, and judgments of experiences, no rule of the data card is broken.
  for (const auto& warning : data->warnings())
    EXPECT_THAT(warning, AnyOf(HasSubstr("that no rule of the data card permits"),
                               HasSubstr("row of action-agency = experience with labels of an action")));
}

// ---- the sample: figures of specs/social_chemistry.md

struct Sample : ::testing::Test {
  void SetUp() override {
    const char* shared = std::getenv("ASSAY_SHARED_DATA");
    if (shared && *shared) folder = std::filesystem::path(shared) / "social_chemistry";
    if (!std::filesystem::exists(folder / "optional_sc101.csv"))
      GTEST_SKIP()
          << "no sample of Social Chemistry 101; ASSAY_SHARED_DATA names the folder that has social_chemistry/";
  }
  json with(json parameters = json::object()) const {
    parameters.update({{"delimiter", "comma"}, {"ignore_extra_columns", true}, {"divide", "situation"}});
    return parameters;
  }
  std::filesystem::path folder = "none";
};

TEST_F(Sample, HasTheKnownCounts) {
  const auto data = open(folder, with({{"strict", true}}));
  const auto counts = data->counts();
  EXPECT_EQ(counts.at("rows"), 11646);
  EXPECT_EQ(counts.at("rows.area.amitheasshole"), 4235);
  EXPECT_EQ(counts.at("rows.area.rocstories"), 3600);
  EXPECT_EQ(counts.at("rows.area.confessions"), 2375);
  EXPECT_EQ(counts.at("rows.area.dearabby"), 1436);
  EXPECT_EQ(counts.at("rows.split.train"), 11646);
  const std::map<std::string, int64_t> nulls{{"null.action-agree", 14},         {"null.action-legal", 17},
                                             {"null.action-pressure", 22},      {"null.action-char-involved", 30},
                                             {"null.action-hypothetical", 887}, {"null.rot-moral-foundations", 866}};
  std::map<std::string, int64_t> found;
  for (const auto& [name, count] : counts)
    if (name.starts_with("null.")) found[name] = count;
  EXPECT_EQ(found, nulls);
  EXPECT_THAT(data->warnings(), ElementsAre(HasSubstr("3 x character index beyond the listed characters"),
                                            HasSubstr("2 x n-characters that differs"),
                                            HasSubstr("39 x row of action-agency = experience"),
                                            HasSubstr("66 x row of action-char-involved = char-none")));
  EXPECT_THAT(open.error(folder / "optional_sc101.csv", {{"delimiter", "comma"}}),
              HasSubstr("'stripped' is not one of"));
}

// Values of a column in one file, "" being an empty cell.
TEST_F(Sample, EachFileHasTheKnownValues) {
  using Counts = std::map<std::string, int64_t>;
  using Columns = std::map<std::string, Counts>;
  const Columns obligatory{
      {"area", {{"amitheasshole", 2773}, {"rocstories", 2909}, {"confessions", 1593}, {"dearabby", 1083}}},
      {"m", {{"1", 8267}, {"3", 91}}},
      {"action-agency", {{"agency", 8345}, {"experience", 13}}},
      {"action-moral-judgment", {{"1", 7119}, {"2", 1239}}},
      {"action-agree", {{"0", 5}, {"2", 17}, {"3", 710}, {"4", 7620}, {"", 6}}},
      {"action-legal", {{"legal", 8320}, {"tolerated", 29}, {"illegal", 4}, {"", 5}}},
      {"action-pressure", {{"-2", 14}, {"-1", 13}, {"0", 1142}, {"1", 4072}, {"2", 3109}, {"", 8}}}};
  const Columns optional{
      {"area", {{"amitheasshole", 1462}, {"rocstories", 691}, {"confessions", 782}, {"dearabby", 353}}},
      {"m", {{"1", 3241}, {"3", 47}}},
      {"action-agency", {{"agency", 3262}, {"experience", 26}}},
      {"action-moral-judgment", {{"0", 3288}}},
      {"action-agree", {{"1", 2}, {"2", 12}, {"3", 316}, {"4", 2950}, {"", 8}}},
      {"action-legal", {{"legal", 3263}, {"tolerated", 13}, {"", 12}}},
      {"action-pressure", {{"-2", 3}, {"-1", 95}, {"0", 2344}, {"1", 614}, {"2", 218}, {"", 14}}}};
  for (const auto& [name, known] : {std::pair{"obligatory_sc101.csv", obligatory}, {"optional_sc101.csv", optional}}) {
    const auto data = open(folder / name, with());
    Columns found;
    std::set<std::string> situations;
    int64_t no_character = 0, no_certainty = 0, no_foundation = 0;
    for (const auto& document : documents(*data)) {
      const auto cell = [&](const std::string& column) {
        const auto one = document.fields.find(column);
        return one == document.fields.end() ? "" : one->second;
      };
      for (const auto& [column, counts] : known) ++found[column][cell(column)];
      situations.insert(cell("situation-short-id"));
      no_character += cell("action-char-involved").empty();
      no_certainty += cell("action-hypothetical").empty();
      no_foundation += cell("rot-moral-foundations").empty();
    }
    EXPECT_EQ(found, known) << name;
    const bool first = known == obligatory;
    EXPECT_EQ(situations.size(), first ? 7873u : 3213u);
    EXPECT_EQ(no_character, first ? 10 : 20);
    EXPECT_EQ(no_certainty, first ? 689 : 198);
    EXPECT_EQ(no_foundation, first ? 377 : 489);
  }
}

TEST_F(Sample, HasTheKnownLabels) {
  const auto data = open(folder, with());
  std::map<std::string, int64_t> judgment, agree, pressure, m;
  std::set<std::string> situations, ids;
  std::map<std::string, std::set<Split>> splits;
  int64_t unsorted_categories = 0, unsorted_foundations = 0;
  const auto is_unsorted = [](const std::string& cell) {
    const auto items = norms::items_of(cell);
    return !std::is_sorted(items.begin(), items.end());
  };
  for (const auto split : kSplits)
    for (const auto& document : documents(*data, split)) {
      const auto& fields = document.fields;
      ++judgment[fields.at("action-moral-judgment")];
      if (fields.count("action-agree")) ++agree[fields.at("action-agree")];
      if (fields.count("action-pressure")) ++pressure[fields.at("action-pressure")];
      ++m[fields.at("m")];
      unsorted_categories += is_unsorted(fields.at("rot-categorization"));
      unsorted_foundations += is_unsorted(fields.at("rot-moral-foundations"));
      situations.insert(fields.at("situation"));
      ids.insert(document.id);
      splits[fields.at("situation-short-id")].insert(split);
    }
  EXPECT_EQ(judgment, (std::map<std::string, int64_t>{{"0", 3288}, {"1", 7119}, {"2", 1239}}));
  EXPECT_EQ(agree, (std::map<std::string, int64_t>{{"0", 5}, {"1", 2}, {"2", 29}, {"3", 1026}, {"4", 10570}}));
  EXPECT_EQ(pressure, (std::map<std::string, int64_t>{{"-2", 17}, {"-1", 108}, {"0", 3486}, {"1", 4686}, {"2", 3327}}));
  EXPECT_EQ(m, (std::map<std::string, int64_t>{{"1", 11508}, {"3", 138}}));
  EXPECT_EQ(unsorted_categories, 3145);
  EXPECT_EQ(unsorted_foundations, 684);
  EXPECT_EQ(splits.size(), 10855u);
  EXPECT_EQ(situations.size(), 10844u);
  EXPECT_EQ(ids.size(), 11646u);
  for (const auto& [id, in] : splits) EXPECT_EQ(in.size(), 1u);
}

}  // namespace
}  // namespace assay::testing
