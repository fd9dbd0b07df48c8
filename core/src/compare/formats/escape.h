// Escapes text of users (labels, claims, names, notes) for each format of tables, verdicts and reports. Unprintable
// characters are written as in base/printable.h, except in CSV, which contains the text itself. For gnuplot see
// report/gnuplot.h.
#pragma once

#include <string>
#include <string_view>

namespace assay::compare {

// Markdown as GitHub renders it (CommonMark with tables, strikethrough and $formulas$), within a line:
std::string escaped_markdown(std::string_view text);
// At the beginning of a list item or a paragraph, where "- ", "1." and "#" also have a meaning.
std::string markdown_line(std::string_view text);
// A code span with any backticks in it. Not for tables, whose cells end at a "|" in code, too.
std::string markdown_code(std::string_view text);

// LaTeX in any of its encodings and under any language of babel. The engine must support non-Latin letters.
std::string escaped_latex(std::string_view text);
// A comment line with its line feed.
std::string latex_comment(std::string_view text);

// Content of an element or of a quoted attribute; line feeds are kept, which HTML shows as spaces.
std::string escaped_html(std::string_view text);

}  // namespace assay::compare
