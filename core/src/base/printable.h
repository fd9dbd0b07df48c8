// Converts text from a user, a model or a plugin to a form that is safe to show in a terminal or on a line of a file.
#pragma once

#include <string>
#include <string_view>

namespace assay::base {

// Replaces bytes that are not valid UTF-8 by U+FFFD.
std::string valid_utf8(std::string_view text);

// Returns valid UTF-8 on one line. Control characters and characters that change the text direction become escapes such
// as \n, \x1b and \u202e, so that they cannot move the cursor or reorder text. A backslash is not escaped: the result
// is for people to read; CSV and JSON hold the original text.
std::string printable(std::string_view text);

// The same, but keeps line feeds and tabs, for messages of several lines.
std::string printable_lines(std::string_view text);

}  // namespace assay::base
