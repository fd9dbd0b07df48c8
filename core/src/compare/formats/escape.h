// Text of users as text of each format that tables, verdicts and reports are written in: labels, claims, names, notes.
// Characters that no line can show come as record/printable.h writes them, but in CSV, which holds the text itself. Of
// gnuplot see report/gnuplot.h.
#pragma once

#include <string>
#include <string_view>

namespace assay::compare {

// Markdown as GitHub reads it (CommonMark with tables, strikethrough and $formulas$). Within a line:
std::string escaped_markdown(std::string_view text);
// At the begin of a list item or a paragraph, where "- ", "1." and "#" have a meaning, too.
std::string markdown_line(std::string_view text);
// A code span, whatever backticks are in it. Not for tables, whose cells end at a "|" in code, too.
std::string markdown_code(std::string_view text);

// LaTeX in any of its encodings and under any language of babel. Non-Latin letters are for the engine to know.
std::string escaped_latex(std::string_view text);
// A line of its own, with its line feed.
std::string latex_comment(std::string_view text);

// Content of an element or an attribute in quotes; line feeds stay, which HTML shows as spaces.
std::string escaped_html(std::string_view text);

}  // namespace assay::compare
