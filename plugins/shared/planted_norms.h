// A world of norms whose texts show their attributes, with the columns of Social Chemistry 101. Every situation names
// an activity, a thing and a person, and no two are alike; no activity is held out with a thing that training has it
// with. A rule of thumb (RoT) opens with a phrase for its moral
// judgment, goes on with a verb for the pressure and the words of its situation, and ends with a marker word for each
// further attribute; an action is built alike. So attributes and situation can be read back from a text that a model
// wrote.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assay/error.h"
#include "assay/random.h"
#include "norm_columns.h"
#include "words.h"

namespace assay::norms::planted {

using Words = std::vector<std::string>;
using Row = std::array<std::string, kColumns>;

// ---- vocabulary -----------------------------------------------------------------------------------------------------

inline const Words& activities() {
  static const Words all{"sharing",   "fixing",  "selling", "hiding",   "borrowing", "painting",
                         "cleaning",  "lending", "washing", "trading",  "carrying",  "wrapping",
                         "returning", "tasting", "sorting", "packing",  "guarding",  "moving",
                         "testing",   "folding", "mending", "stacking", "polishing", "storing"};
  return all;
}
inline const Words& things() {
  static const Words all{"kite",   "lamp",   "clock",  "basket", "ladder",   "blanket", "bottle",  "bucket",
                         "camera", "candle", "carpet", "chair",  "comb",     "cup",     "curtain", "drum",
                         "fan",    "fork",   "glove",  "guitar", "hammer",   "hat",     "jar",     "kettle",
                         "key",    "mirror", "mug",    "needle", "notebook", "pan",     "pencil",  "piano",
                         "pillow", "plate",  "puzzle", "radio",  "ribbon",   "rope",    "scarf",   "shelf",
                         "sofa",   "spoon",  "stamp",  "stool",  "table",    "tent",    "towel",   "vase"};
  return all;
}
inline const Words& people() {
  static const Words all{"cousin",   "neighbor", "teacher", "aunt",    "uncle",   "friend", "roommate", "coworker",
                         "brother",  "sister",   "nephew",  "niece",   "boss",    "coach",  "doctor",   "guest",
                         "landlord", "partner",  "grandma", "grandpa", "student", "tenant", "baker",    "gardener"};
  return all;
}

// The word that shows each value of an attribute, in the order of values (integers from the lowest on).
struct Marker {
  size_t column;
  Words words;
};
inline const std::vector<Marker>& markers_of_rot() {
  static const std::vector<Marker> all{{kJudgment, {"awful", "rude", "fine", "kind", "noble"}},
                                       {kPressure, {"refuse", "avoid", "consider", "support", "demand"}},
                                       {kRotAgree, {"oddly", "seldom", "maybe", "often", "surely"}},
                                       {kCategorization, {"wisely", "plainly", "rightly", "politely"}},
                                       {kFoundations, {"dutiful", "gentle", "even", "faithful", "pure"}}};
  return all;
}
inline const std::vector<Marker>& markers_of_action() {
  static const std::vector<Marker> all{{kJudgment, {"awfully", "rudely", "finely", "kindly", "nobly"}},
                                       {kPressure, {"refusing", "avoiding", "considering", "supporting", "demanding"}},
                                       {kAgency, {"actively", "inwardly"}},
                                       {kActionAgree, {"rejected", "doubted", "debated", "accepted", "embraced"}},
                                       {kLegal, {"lawfully", "illicitly", "loosely"}},
                                       {kHypothetical, {"never", "unlikely", "imagined", "likely", "truly"}}};
  return all;
}

// ---- reading a text -------------------------------------------------------------------------------------------------

inline constexpr const char* kContradiction = "?";

// The cell that the text shows for an attribute; empty: none. Two values of an attribute that has one contradict.
inline std::string shown(const Marker& marker, const Words& words) {
  const auto values = values_of(marker.column);
  const bool is_list = columns()[marker.column].type == Type::kChoices;
  std::string cell;
  for (size_t v = 0; v < values.size(); ++v) {
    if (std::find(words.begin(), words.end(), marker.words[v]) == words.end()) continue;
    if (!cell.empty() && !is_list) return kContradiction;
    cell += (cell.empty() ? "" : "|") + values[v];
  }
  return cell;
}

// The attributes that a RoT or an action shows, by column.
inline std::map<size_t, std::string> attributes_in(const std::vector<Marker>& markers, std::string_view text) {
  const auto words = text::words_of(text);
  std::map<size_t, std::string> found;
  for (const auto& marker : markers) found[marker.column] = shown(marker, words);
  return found;
}

// Whether a RoT or an action names the activity and the thing of the situation, and no other ones.
inline bool is_relevant(std::string_view text, std::string_view situation) {
  const auto named = [](std::string_view in, const Words& vocabulary) {
    std::set<std::string> names;
    for (auto& word : text::words_of(in))
      if (std::find(vocabulary.begin(), vocabulary.end(), word) != vocabulary.end()) names.insert(std::move(word));
    return names;
  };
  return named(text, activities()) == named(situation, activities()) &&
         named(text, things()) == named(situation, things());
}

// ---- the world ------------------------------------------------------------------------------------------------------

struct World {
  int64_t train = 2000, held_out = 250;  // situations to train on; in dev, and as many in test
  int64_t rots = 2;                      // of each situation
  int64_t activity_words = 24, thing_words = 48, person_words = 24;
  double bad_rate = 0.05, null_rate = 0.02;
  double noise = 0.5;  // share of judgments and pressures that do not follow from the activity
  int64_t seed = 1;

  int64_t situations() const { return train + 2 * held_out; }
};

struct Situation {
  int64_t activity, thing, person;
};

// The items in an order that the draws decide (Fisher and Yates).
template <class Item>
void shuffle(std::vector<Item>& items, const Draws& draws) {
  for (size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[draws.below(left, left)]);
}

// The situations of a world by number: first those to train on, then those of dev, then those of test. Dev and test
// each have a tenth of the pairs of activity and thing, or as many as their situations need, for themselves.
class Situations {
 public:
  // UserError when the vocabulary has fewer combinations than a split has situations.
  explicit Situations(const World& world) {
    std::vector<Situation> pairs;
    for (int64_t activity = 0; activity < world.activity_words; ++activity)
      for (int64_t thing = 0; thing < world.thing_words; ++thing) pairs.push_back({activity, thing, 0});
    const Draws draws(static_cast<uint64_t>(world.seed), "situations");
    shuffle(pairs, draws);
    const auto all = static_cast<int64_t>(pairs.size()), needed = (world.held_out - 1) / world.person_words + 1;
    const auto held_out = std::max(needed, all / 10), train = all - 2 * held_out;
    if (train * world.person_words < world.train)
      throw UserError(
          "train and held_out: " + std::to_string(all) + " pairs of activity and thing are too few for " +
          std::to_string(world.train) + " situations to train on and " + std::to_string(world.held_out) +
          " in each of validation and test, which share no pair; each pair gives one situation with each of "
          "the " +
          std::to_string(world.person_words) + " people; use fewer situations or more words");
    add(world, pairs, 0, train, world.train, draws.substream(0));
    add(world, pairs, train, train + held_out, world.held_out, draws.substream(1));
    add(world, pairs, train + held_out, all, world.held_out, draws.substream(2));
  }
  const Situation& operator[](int64_t number) const { return all_[static_cast<size_t>(number)]; }

 private:
  // `count` situations of pairs [begin, end), with every person.
  void add(const World& world, const std::vector<Situation>& pairs, int64_t begin, int64_t end, int64_t count,
           const Draws& draws) {
    std::vector<Situation> some;
    for (auto at = begin; at < end; ++at)
      for (int64_t person = 0; person < world.person_words; ++person) {
        some.push_back(pairs[static_cast<size_t>(at)]);
        some.back().person = person;
      }
    shuffle(some, draws);
    all_.insert(all_.end(), some.begin(), some.begin() + count);
  }

  std::vector<Situation> all_;
};

inline std::string phrase_of(const Situation& situation, const char* before_person) {
  return activities()[static_cast<size_t>(situation.activity)] + " the " +
         things()[static_cast<size_t>(situation.thing)] + " with " + before_person +
         people()[static_cast<size_t>(situation.person)];
}

// An index drawn with these probabilities.
inline size_t drawn(const std::vector<double>& probabilities, double draw) {
  size_t chosen = 0;
  while (chosen + 1 < probabilities.size() && draw >= probabilities[chosen]) draw -= probabilities[chosen++];
  return chosen;
}

// The marker words of a cell, in the order of values.
inline std::string marked(const Marker& marker, const std::string& cell) {
  const auto values = values_of(marker.column);
  std::string words;
  for (size_t v = 0; v < values.size(); ++v) {
    const auto items = items_of(cell);
    if (std::find(items.begin(), items.end(), values[v]) != items.end()) words += " " + marker.words[v];
  }
  return words;
}

// The RoT of a row: "it is kind to support sharing the kite with a cousin surely politely gentle".
inline std::string rot_text(const Row& row, const Situation& situation) {
  const auto& markers = markers_of_rot();
  std::string text = "it is" + marked(markers[0], row[kJudgment]) + " to" + marked(markers[1], row[kPressure]) + " " +
                     phrase_of(situation, "a ");
  for (size_t m = 2; m < markers.size(); ++m) text += marked(markers[m], row[markers[m].column]);
  return text;
}

// The action of a row: "kindly supporting sharing the kite actively accepted lawfully likely".
inline std::string action_text(const Row& row, const Situation& situation) {
  const auto& markers = markers_of_action();
  std::string text = marked(markers[0], row[kJudgment]) + marked(markers[1], row[kPressure]) + " " +
                     activities()[static_cast<size_t>(situation.activity)] + " the " +
                     things()[static_cast<size_t>(situation.thing)];
  for (size_t m = 2; m < markers.size(); ++m) text += marked(markers[m], row[markers[m].column]);
  return text.substr(1);
}

inline bool is_bad(const World& world, int64_t situation, int64_t rot) {
  return Draws(static_cast<uint64_t>(world.seed), "rows")
             .substream(static_cast<uint64_t>(situation * world.rots + rot))
             .uniform(0) < world.bad_rate;
}

// RoT `rot` of situation `number`, as a row of the file with this value of the column split.
inline Row row_of(const World& world, const Situation& situation, const std::string& split, int64_t number,
                  int64_t rot) {
  const auto draws =
      Draws(static_cast<uint64_t>(world.seed), "rows").substream(static_cast<uint64_t>(number * world.rots + rot));
  uint64_t next = 1;  // draw 0 decides rot-bad
  const auto uniform = [&] { return draws.uniform(next++); };
  const auto below = [&](int64_t bound) {
    return static_cast<int64_t>(draws.below(static_cast<uint64_t>(bound), next++));
  };
  const bool bad = is_bad(world, number, rot);
  Row row;
  row[kArea] = columns()[kArea].values[static_cast<size_t>(number) % 4];
  row[kM] = split == "analysis"                   ? "50"
            : split.ends_with("-extra")           ? "5"
            : split == "none" || number % 20 == 0 ? "3"
                                                  : "1";
  row[kSplit] = split;
  // Attributes: judgment and pressure follow from the activity, apart from noise.
  const auto base = situation.activity % 5 - 2;
  const auto judgment = uniform() < world.noise ? below(5) - 2 : base;
  const auto pressure = uniform() < world.noise ? below(5) - 2 : judgment;
  row[kJudgment] = std::to_string(judgment);
  row[kPressure] = std::to_string(pressure);
  row[kRotAgree] = std::to_string(drawn({.05, .1, .2, .35, .3}, uniform()));
  row[kActionAgree] = std::to_string(drawn({.05, .1, .2, .35, .3}, uniform()));
  const auto list = [&](size_t column, const std::vector<double>& probabilities, bool may_be_empty) {
    const auto values = values_of(column);
    std::string cell;
    for (size_t v = 0; v < values.size(); ++v)
      if (uniform() < probabilities[v]) cell += (cell.empty() ? "" : "|") + values[v];
    const auto one = static_cast<size_t>(below(static_cast<int64_t>(values.size())));
    return cell.empty() && !may_be_empty ? values[one] : cell;
  };
  row[kCategorization] = list(kCategorization, {.35, .2, .4, .5}, false);
  std::vector<double> foundations(5, .1);
  foundations[static_cast<size_t>(situation.activity / 5 % 5)] = .7;
  row[kFoundations] = list(kFoundations, foundations, true);
  row[kAgency] = uniform() < .9 ? "agency" : "experience";
  row[kLegal] = columns()[kLegal].values[drawn({.75, .1, .15}, uniform())];
  row[kHypothetical] = columns()[kHypothetical].values[static_cast<size_t>(below(5))];
  row[kCharTargeting] = row[kCharInvolved] = columns()[kCharInvolved].values[drawn({.15, .5, .35}, uniform())];
  // Empty cells: what the data card permits, and a share of the labels that it does not.
  if (row[kAgency] == "experience")
    for (const auto c : {kActionAgree, kLegal, kPressure, kCharInvolved, kHypothetical}) row[c].clear();
  if (row[kCharInvolved] == "char-none") row[kHypothetical].clear();
  for (const auto c : {kRotAgree, kActionAgree, kLegal})
    if (uniform() < world.null_rate) row[c].clear();
  row[kRot] = rot_text(row, situation);
  row[kAction] = action_text(row, situation);
  row[kRotJudgment] = "it is" + marked(markers_of_rot()[0], row[kJudgment]);
  if (bad) {
    for (const auto c : {kRotAgree, kRotJudgment, kAction, kAgency, kJudgment, kActionAgree, kLegal, kPressure,
                         kCharInvolved, kHypothetical, kCharTargeting})
      row[c].clear();
    row[kRot] = "this does not say what to do";
  }
  row[kRotBad] = bad ? "1" : "0";
  // Texts, ids and characters.
  row[kSituation] = phrase_of(situation, "my ");
  char id[32];
  std::snprintf(id, sizeof id, "%06lld", static_cast<long long>(number));
  row[kSituationId] = std::string("planted/") + id;
  const auto worker = std::to_string(1 + below(137));
  row[kRotWorker] = worker;
  row[kRotId] = "rot/" + row[kSituationId] + "/PLANTED/" + worker + "/" + std::to_string(rot + 1);
  row[kBreakdownWorker] = std::to_string(1 + below(137));
  row[kCharacters] = "narrator|my " + people()[static_cast<size_t>(situation.person)];
  row[kCharacterCount] = "2";
  return row;
}

}  // namespace assay::norms::planted
