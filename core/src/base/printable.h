// Text that came from a user, a model or a plugin, as a terminal or a line of a file can show it.
#pragma once

#include <string>
#include <string_view>

namespace assay::base {

// Bytes that are no UTF-8 as U+FFFD.
std::string valid_utf8(std::string_view text);

// Valid and on one line: control characters and those that turn the direction of text around as escapes such as \n,
// \x1b and \u202e, so that they move no cursor and reorder nothing. A backslash stays as it is: this is to be read, and
// CSV and JSON have the text itself.
std::string printable(std::string_view text);

// The same, with line feeds and tabs kept: messages of several lines.
std::string printable_lines(std::string_view text);

}  // namespace assay::base
