// "= model.width / 24": arithmetic over other keys, evaluated once a run at plan time.
#pragma once

#include <functional>
#include <optional>

#include "config/diagnostics.h"
#include "config/key_path.h"
#include "config/node.h"

namespace assay::config {

// The default of a key that the document does not give; nothing when there is no such key.
using DefaultOf = std::function<std::optional<Node>(const KeyPath&)>;

// Replaces every string that starts with "=" by its number, in the sections that describe a run. An int stays an int
// while every operand is one and every division is exact; otherwise the result is real.
void evaluate_expressions(Node& document, const DefaultOf& default_of, Diagnostics& diagnostics);

}  // namespace assay::config
