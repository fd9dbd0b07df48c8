// A table as text for a terminal, Markdown, CSV or JSON; one file a format.
#pragma once

#include <string>

#include "compare/table.h"

namespace assay {

std::string format_text(const Table& table);
std::string format_markdown(const Table& table);
std::string format_csv(
    const Table& table);  // one line a row, numbers in full; notes and provenance as # lines at the end
std::string format_json(const Table& table);  // everything, each seed's value included

// A cell's text with what Markdown would take for its own marked as text.
std::string escaped_markdown(const std::string& text);

}  // namespace assay
