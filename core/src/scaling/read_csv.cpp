#include "scaling/read_csv.h"

#include <fmt/format.h>

#include <set>

#include "assay/error.h"

namespace assay::scaling {
namespace {

// One pass over the text, a character at a time.
class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  std::vector<CsvTable::Row> rows() {
    std::vector<CsvTable::Row> rows;
    while (at_ < text_.size()) {
      CsvTable::Row row{.line = line_, .cells = {}};
      do row.cells.push_back(cell());
      while (take(','));
      take('\r');
      if (at_ < text_.size() && !take('\n'))
        throw UserError(
            fmt::format("{}:{}: a quoted cell is followed by more text; double the quotes inside it", name_, line_));
      ++line_;
      if (row.cells.size() > 1 || !row.cells[0].empty()) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool take(char one) {
    if (at_ >= text_.size() || text_[at_] != one) return false;
    ++at_;
    return true;
  }

  std::string cell() {
    if (take('"')) return quoted();
    const auto end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    std::string cell(text_.substr(at_, end - at_));
    at_ = end;
    return cell;
  }

  std::string quoted() {
    const auto first = line_;
    std::string cell;
    while (at_ < text_.size()) {
      const char one = text_[at_++];
      if (one == '\n') ++line_;
      if (one == '"' && !take('"')) return cell;
      cell += one;
    }
    throw UserError(fmt::format("{}:{}: a quoted cell is not closed; add the quote that ends it", name_, first));
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

CsvTable parse_csv(std::string_view text, const std::string& name) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the mark that some spreadsheets write
  CsvTable table;
  table.rows = Reader(text, name).rows();
  if (table.rows.empty()) throw UserError(name + ": the table is empty; its first line must name the columns");
  table.columns = std::move(table.rows.front().cells);
  table.rows.erase(table.rows.begin());
  std::set<std::string> seen;
  for (const auto& column : table.columns)
    if (!seen.insert(column).second)
      throw UserError(fmt::format("{}: two columns are named '{}'; rename one of them", name, column));
  for (const auto& row : table.rows)
    if (row.cells.size() != table.columns.size())
      throw UserError(fmt::format("{}:{}: the row has {} cells, but the header names {} columns", name, row.line,
                                  row.cells.size(), table.columns.size()));
  return table;
}

}  // namespace assay::scaling
