// Parses TOML text into a tree with positions. Bare and quoted dotted keys are equivalent: "a.b" = 1 is a.b = 1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::document {

// Returns a table, or no value when the text is not valid TOML (the diagnostics then contain the syntax error).
std::optional<Node> parse_toml(std::string_view text, const std::string& file, Diagnostics& diagnostics);

// The value of a command-line assignment: parsed as TOML if it is valid TOML, else the text itself as a string
// (positional=alibi).
Node parse_argument_value(std::string_view text, const Position& position, Diagnostics& diagnostics);

}  // namespace assay::document
