// The 25 columns of Social Chemistry 101. Forbes et al. 2020, arXiv:2011.00620, and its data card: types, closed sets
// of values, and the words that the paper's models get for them.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "list_cells.h"

namespace assay::norms {

enum class Type { kText, kChoice, kInteger, kChoices, kTexts };  // the last two: a list whose items are joined by '|'

struct Column {
  const char* name;
  Type type;
  bool nullable;
  std::vector<std::string> values = {};  // closed set; empty: free text, or any integer in [low, high]
  int low = 0, high = 0;
};

// Indices of the columns, in the order of the file.
enum At : size_t {
  kArea,
  kM,
  kSplit,
  kRotAgree,
  kCategorization,
  kFoundations,
  kCharTargeting,
  kRotBad,
  kRotJudgment,
  kAction,
  kAgency,
  kJudgment,
  kActionAgree,
  kLegal,
  kPressure,
  kCharInvolved,
  kHypothetical,
  kSituation,
  kSituationId,
  kRot,
  kRotId,
  kRotWorker,
  kBreakdownWorker,
  kCharacterCount,
  kCharacters,
  kColumns
};

inline const std::array<Column, kColumns>& columns() {
  static const std::vector<std::string> characters{"char-none", "char-0", "char-1", "char-2",
                                                   "char-3",    "char-4", "char-5"};
  static const auto* all = new std::array<Column, kColumns>{{
      {"area", Type::kChoice, false, {"confessions", "dearabby", "rocstories", "amitheasshole"}},
      {"m", Type::kInteger, false, {"1", "3", "5", "50"}},
      {"split", Type::kChoice, false, {"train", "dev", "test", "dev-extra", "test-extra", "analysis", "none"}},
      {"rot-agree", Type::kInteger, true, {}, 0, 4},
      {"rot-categorization", Type::kChoices, false, {"advice", "description", "morality-ethics", "social-norms"}},
      {"rot-moral-foundations",
       Type::kChoices,
       false,
       {"authority-subversion", "care-harm", "fairness-cheating", "loyalty-betrayal", "sanctity-degradation"}},
      {"rot-char-targeting", Type::kChoice, true, characters},
      {"rot-bad", Type::kInteger, false, {}, 0, 1},
      {"rot-judgment", Type::kText, true},
      {"action", Type::kText, true},
      {"action-agency", Type::kChoice, true, {"agency", "experience"}},
      {"action-moral-judgment", Type::kInteger, true, {}, -2, 2},
      {"action-agree", Type::kInteger, true, {}, 0, 4},
      {"action-legal", Type::kChoice, true, {"legal", "illegal", "tolerated"}},
      {"action-pressure", Type::kInteger, true, {}, -2, 2},
      {"action-char-involved", Type::kChoice, true, characters},
      {"action-hypothetical",
       Type::kChoice,
       true,
       {"explicit-no", "probable-no", "hypothetical", "probable", "explicit"}},
      {"situation", Type::kText, false},
      {"situation-short-id", Type::kText, false},
      {"rot", Type::kText, false},
      {"rot-id", Type::kText, false},
      {"rot-worker-id", Type::kText, false},
      {"breakdown-worker-id", Type::kText, false},
      {"n-characters", Type::kInteger, false, {}, 1, 10},
      {"characters", Type::kTexts, false},
  }};
  return *all;
}

// The index of a column, or kColumns.
inline size_t column_at(std::string_view name) {
  const auto& all = columns();
  return static_cast<size_t>(
      std::find_if(all.begin(), all.end(), [&](const Column& column) { return column.name == name; }) - all.begin());
}

// An integer, also when it is written as "4.0"; false for anything else.
inline bool read_integer(std::string_view cell, int& value) {
  if (const auto point = cell.find('.'); point != std::string_view::npos) {
    if (cell.find_first_not_of('0', point + 1) != std::string_view::npos || point + 1 == cell.size()) return false;
    cell = cell.substr(0, point);
  }
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return error == std::errc() && end == cell.data() + cell.size();
}

// A cell for a message: at most 40 bytes, and whole UTF-8 characters.
inline std::string shortened(std::string_view cell) {
  constexpr size_t kMost = 40;
  if (cell.size() <= kMost) return std::string(cell);
  auto end = kMost;
  while (end > 0 && (cell[end] & 0xC0) == 0x80) --end;
  return std::string(cell.substr(0, end)) + "..";
}

using cells::items_of;

// All values that a column's cells or items may have; empty for texts.
inline std::vector<std::string> values_of(size_t column) {
  const auto& known = columns()[column];
  if (known.type != Type::kInteger || !known.values.empty()) return known.values;
  std::vector<std::string> values;
  for (int value = known.low; value <= known.high; ++value) values.push_back(std::to_string(value));
  return values;
}

// The words for the integers of a column, from `low` on; empty for other columns.
inline const std::vector<std::string>& words_of(size_t column) {
  static const std::vector<std::string> none, agree{"nobody", "rare", "controversial", "most", "all"},
      judgment{"very-bad", "bad", "ok", "good", "very-good"},
      pressure{"strong-against", "against", "discretionary", "for", "strong-for"};
  switch (column) {
    case kRotAgree:
    case kActionAgree:
      return agree;
    case kJudgment:
      return judgment;
    case kPressure:
      return pressure;
    default:
      return none;
  }
}

// The words of all values of an attribute.
inline const std::vector<std::string>& all_words_of(size_t column) {
  return words_of(column).empty() ? columns()[column].values : words_of(column);
}

// The words for a cell: the value itself, the word for an integer, or the sorted items of a list. A value that is not
// in the column's set has no word.
inline std::vector<std::string> words_of(size_t column, const std::string& cell) {
  const auto& known = columns()[column];
  auto items = known.type == Type::kChoices ? items_of(cell) : std::vector{cell};
  std::sort(items.begin(), items.end());
  if (known.type == Type::kInteger) {
    int value = 0;
    if (!read_integer(cell, value) || value < known.low || value > known.high) return {};
    return {words_of(column)[static_cast<size_t>(value - known.low)]};
  }
  std::erase_if(items, [&](const std::string& item) {
    return std::find(known.values.begin(), known.values.end(), item) == known.values.end();
  });
  return items;
}

// The attributes of a rule of thumb and of an action, in the order of the paper's views.
inline const std::vector<size_t>& rot_attributes() {
  static const std::vector<size_t> all{kCategorization, kFoundations, kRotAgree};
  return all;
}
inline const std::vector<size_t>& action_attributes() {
  static const std::vector<size_t> all{kAgency, kJudgment, kActionAgree, kLegal, kPressure, kHypothetical};
  return all;
}

}  // namespace assay::norms
