// "= model.width / 24": arithmetic over other keys, evaluated per run at plan time.
#pragma once

#include <functional>
#include <optional>

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "document/node.h"

namespace assay::document {

// Information about keys beyond the document itself.
struct KnownKeys {
  // The default of a key that the document does not set; no value when there is no such key.
  std::function<std::optional<Node>(const KeyPath&)> default_of;
  // Whether the key takes text (a label, a name, a file), in which a leading "=" does not start an expression. The key
  // of a list element is its index.
  std::function<bool(const KeyPath&)> is_text;
};

// A string that begins with "=".
bool is_expression(const Node& node);

// Replaces every expression that is not text by its number, in the sections that describe a run. An int stays an int
// while every operand is one and every division is exact; otherwise the result is real.
void evaluate_expressions(Node& document, const KnownKeys& keys, Diagnostics& diagnostics);

}  // namespace assay::document
