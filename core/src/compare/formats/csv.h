// Lines of comma-separated values (RFC 4180), and nothing else: readers of CSV know no comments.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace assay::compare {

// With its line feed; a field that holds a comma, a quote or a line break is quoted. Fields are the text itself, but
// for what no reader takes: bytes that are no UTF-8, and NUL, are U+FFFD. A text that a spreadsheet would take for a
// formula stays as it is.
std::string csv_line(const std::vector<std::string>& fields);

// What holds for a whole file, as columns that are the same in every line: name and value, in names that no metric and
// no axis has (table.experiment, table.notes, provenance.plan, ..).
std::vector<std::pair<std::string, std::string>> constant_columns(
    const std::string& experiment, const std::vector<std::string>& notes,
    const std::vector<std::pair<std::string, std::string>>& provenance);

}  // namespace assay::compare
