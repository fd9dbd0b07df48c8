// What the parameters say of a document's keys, for expressions and conditions of a sweep.
#pragma once

#include <optional>

#include "config/descriptors.h"
#include "config/key_path.h"
#include "config/node.h"

namespace assay::config {

// The default of a key that the document leaves out. Nothing when there is no such key, or its default is not a scalar.
std::optional<Node> default_of_key(const Node& document, const Catalogue& catalogue, const KeyPath& path);

// Whether what the key takes is not a number, but a name, a file, a label. An element of a list has its index for a
// key.
bool takes_text(const Node& document, const Catalogue& catalogue, const KeyPath& path);

}  // namespace assay::config
