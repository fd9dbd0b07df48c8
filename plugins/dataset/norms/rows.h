// The rows of files of Social Chemistry 101: their cells by column, their checks, and the counts of both.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../../shared/norm_columns.h"
#include "assay/error.h"

namespace assay::norms {

using Cells = std::array<std::string_view, kColumns>;

// What pandas reads as missing, among values that this data could have.
inline bool is_null(std::string_view cell) {
  if (cell.empty()) return true;
  if (cell.size() > 4 || (cell[0] != 'N' && cell[0] != 'n' && cell[0] != '<')) return false;
  for (const std::string_view known : {"NA", "N/A", "n/a", "NaN", "nan", "<NA>", "None", "NULL", "null"})
    if (cell == known) return true;
  return false;
}

inline bool is_integer_of(const Column& column, int value) {
  if (column.values.empty()) return value >= column.low && value <= column.high;
  for (const auto& known : column.values)
    if (known == std::to_string(value)) return true;
  return false;
}

inline bool is_choice_of(const Column& column, std::string_view value) {
  for (const auto& known : column.values)
    if (value == known) return true;
  return false;
}

using cells::each_item;

// What a reader accepts, with its number and the first place. The names are those of the warnings.
class Irregularities {
 public:
  void add(const char* what, const std::string& place) {
    auto& [count, first] = found_[what];
    if (count++ == 0) first = place;
  }
  std::vector<std::string> sentences() const {
    std::vector<std::string> out;
    for (const auto& [what, found] : found_)
      out.push_back(std::to_string(found.first) + " x " + what + " (first: " + found.second + ")");
    return out;
  }

 private:
  std::map<std::string, std::pair<int64_t, std::string>> found_;
};

// Checks the cells of one row. `place(column)` names a cell for messages. Strict: a value that no set lists is an
// error, too.
class RowCheck {
 public:
  RowCheck(bool strict, Irregularities& irregularities) : strict_(strict), irregularities_(irregularities) {}

  void operator()(const Cells& cells, const auto& place) {
    empty_ = 0;
    for (size_t c = 0; c < kColumns; ++c) check_cell(columns_[c], cells[c], c, place);
    check_nulls(cells, place);
    check_characters(cells, place);
  }

  const std::array<int64_t, kColumns>& nulls() const { return nulls_; }  // empty cells by column

 private:
  static std::string allowed(const Column& column) {
    if (column.values.empty())
      return "an integer from " + std::to_string(column.low) + " to " + std::to_string(column.high);
    return (column.type == Type::kChoices ? "a list, joined by '|', of " : "one of ") +
           cells::joined(column.values, ", ");
  }
  static std::string quoted(std::string_view cell) { return "'" + shortened(cell) + "'"; }

  void refuse(const Column& column, std::string_view cell, size_t c, const auto& place) const {
    throw UserError("norms: " + place(c) + ": " +
                    (cell.empty() ? "the cell is empty" : quoted(cell) + " is not valid") + "; it must be " +
                    (column.values.empty() && column.type != Type::kInteger ? "a text" : allowed(column)));
  }
  // A value outside its set: an error if strict, else counted.
  void outside(const Column& column, std::string_view cell, size_t c, const char* what, const auto& place) {
    if (strict_) refuse(column, cell, c, place);
    irregularities_.add(what, place(c));
  }

  void check_cell(const Column& column, std::string_view cell, size_t c, const auto& place) {
    if (cell.empty() || (column.nullable && is_null(cell))) {
      ++nulls_[c];
      empty_ |= 1u << c;
      if (!column.nullable && column.type != Type::kChoices)
        outside(column, cell, c, "empty cell of a column that is never empty", place);
      return;
    }
    if (column.type == Type::kText || column.type == Type::kTexts || is_known(cell, c)) return;
    if (column.type == Type::kInteger) {
      int value = 0;
      if (!read_integer(cell, value)) refuse(column, cell, c, place);  // "4.5" is not a value of any such column
      if (!is_integer_of(column, value)) return outside(column, cell, c, kUnknown, place);
    } else if (column.type == Type::kChoice) {
      if (!is_choice_of(column, cell)) return outside(column, cell, c, kUnknown, place);
    } else {
      bool all = true;
      each_item(cell, [&](std::string_view item) {
        if (is_choice_of(column, item)) return;
        outside(column, cell, c, kUnknown, place);
        all = false;
      });
      if (!all) return;
    }
    known_slot(cell, c) = cell;
  }

  // Most cells are one of a few that were found right before; one comparison tells.
  std::string& known_slot(std::string_view cell, size_t c) {
    const auto number = [&](size_t at) { return static_cast<unsigned char>(cell[at]); };
    return known_[c][(number(0) + 3u * number(cell.size() / 2) + 5u * number(cell.size() - 1) + 7u * cell.size()) %
                     kKnown];
  }
  bool is_known(std::string_view cell, size_t c) { return known_slot(cell, c) == cell; }

  // The data card's rules of what may be empty. The data breaks them, so breaches are only counted.
  void check_nulls(const Cells& cells, const auto& place) {
    const auto has = [&](size_t c) { return (empty_ >> c & 1) == 0; };
    const bool bad = cells[kRotBad] == "1" || cells[kRotBad] == "1.0", experience = cells[kAgency] == "experience",
               nobody = cells[kCharInvolved] == "char-none";
    if (bad) return;
    constexpr At kOfAgency[] = {kJudgment, kActionAgree, kLegal, kPressure, kCharInvolved, kHypothetical};
    if (experience)
      for (const auto c : kOfAgency)
        if (has(c)) {
          irregularities_.add("row of action-agency = experience with labels of an action", place(c));
          break;
        }
    if (nobody && has(kHypothetical))
      irregularities_.add("row of action-char-involved = char-none with action-hypothetical", place(kHypothetical));
    for (size_t c = 0; c < kColumns && empty_ != 0; ++c) {
      if (!columns_[c].nullable || has(c)) continue;
      const bool of_agency = std::find(std::begin(kOfAgency), std::end(kOfAgency), c) != std::end(kOfAgency);
      if ((experience && of_agency) || (c == kHypothetical && nobody)) continue;
      irregularities_.add("empty cell that no rule of the data card permits", place(c));
    }
  }

  void check_characters(const Cells& cells, const auto& place) {
    int listed = 0;
    each_item(cells[kCharacters], [&](std::string_view) { ++listed; });
    for (const auto c : {kCharTargeting, kCharInvolved})
      if (const auto cell = cells[c]; cell.starts_with("char-") && cell.size() == 6 && cell[5] - '0' >= listed)
        irregularities_.add("character index beyond the listed characters", place(c));
    constexpr int kMostListed = 6;
    if (int count = 0; read_integer(cells[kCharacterCount], count) && std::min(count, kMostListed) != listed)
      irregularities_.add("n-characters that differs from the number of listed characters", place(kCharacterCount));
  }

  static constexpr const char* kUnknown = "value outside its column's set";
  static constexpr size_t kKnown = 64;
  const std::array<Column, kColumns>& columns_ = columns();
  std::array<std::array<std::string, kKnown>, kColumns> known_;  // right cells, by column
  uint32_t empty_ = 0;                                           // bits of the row's empty cells
  bool strict_;
  Irregularities& irregularities_;
  std::array<int64_t, kColumns> nulls_{};
};

// The cell as documents have it: integers without ".0"; false: it is missing. An empty list is the empty set.
inline bool read_cell(size_t c, std::string_view cell, std::string& value) {
  const auto& column = columns()[c];
  if (column.type == Type::kChoices || column.type == Type::kTexts) {
    value = cell;
    return true;
  }
  if (column.nullable ? is_null(cell) : cell.empty()) return false;
  int number = 0;
  value = column.type == Type::kInteger && read_integer(cell, number) ? std::to_string(number) : std::string(cell);
  return true;
}

}  // namespace assay::norms
