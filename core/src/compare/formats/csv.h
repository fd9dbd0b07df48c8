// Lines of comma-separated values (RFC 4180) and nothing else, because CSV readers do not know comments.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace assay::compare {

// Returns a line with its line feed; a field that contains a comma, a quote or a line break is quoted. Fields keep
// their text, except for what readers reject: bytes that are not UTF-8, and NUL, become U+FFFD. A text that a
// spreadsheet would treat as a formula is not changed.
std::string csv_line(const std::vector<std::string>& fields);

// What holds for a whole file, as columns with the same value in every line: name and value, under names that no metric
// and no axis has (table.experiment, table.notes, provenance.plan, ..).
using ConstantColumns = std::vector<std::pair<std::string, std::string>>;
ConstantColumns constant_columns(const std::string& experiment, const std::vector<std::string>& notes,
                                 const ConstantColumns& provenance);
ConstantColumns constant_columns(const std::string& experiment, const ConstantColumns& provenance);

}  // namespace assay::compare
