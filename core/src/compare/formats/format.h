// A table as text for a terminal, Markdown, CSV, JSON or LaTeX; one file per format.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "compare/table/table.h"

namespace assay::compare {

std::string format_text(const Table& table);
std::string format_markdown(const Table& table);
std::string format_csv(const Table& table);   // one line per row, numbers in full; notes and provenance are columns
std::string format_json(const Table& table);  // everything, including each seed's value

// A tabular with the rules of booktabs; a bold cell is the best of its column and separable from every other row. Notes
// and provenance are comments below.
std::string format_latex(const Table& table);

// For the JSON formats: null if there is no value.
nlohmann::ordered_json optional_number(const std::optional<double>& value);

}  // namespace assay::compare
