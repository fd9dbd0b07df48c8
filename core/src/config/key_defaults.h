// The default of a key that a document leaves out, for expressions and conditions of a sweep that refer to it.
#pragma once

#include <optional>

#include "config/descriptors.h"
#include "config/key_path.h"
#include "config/node.h"

namespace assay::config {

// Nothing when there is no such key, or its default is no scalar.
std::optional<Node> default_of_key(const Node& document, const Catalogue& catalogue, const KeyPath& path);

}  // namespace assay::config
