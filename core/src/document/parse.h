// TOML text to a tree with positions. Bare and quoted dotted keys mean the same: "a.b" = 1 is a.b = 1.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::document {

// A table; without a value when the text is no TOML (the syntax error is then among the diagnostics).
std::optional<Node> parse_toml(std::string_view text, const std::string& file, Diagnostics& diagnostics);

// The value of a command-line assignment: TOML where it is TOML, else the text itself as a string (positional=alibi).
Node parse_argument_value(std::string_view text, const Position& position, Diagnostics& diagnostics);

}  // namespace assay::document
