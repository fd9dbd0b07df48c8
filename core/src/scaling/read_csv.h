// Tables of other people: comma-separated values with a header (RFC 4180), read with the line of every row.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace assay::scaling {

struct CsvTable {
  struct Row {
    std::size_t line = 0;  // where it begins in the file, from 1
    std::vector<std::string> cells;
  };
  std::vector<std::string> columns;
  std::vector<Row> rows;  // empty lines are left out
};

// `name` is for messages. Throws UserError for an empty text, a quote that is not closed, a header that names a column
// twice, and a row with another number of cells than the header.
CsvTable parse_csv(std::string_view text, const std::string& name);

}  // namespace assay::scaling
