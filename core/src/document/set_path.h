// Sets one value of a document by its dotted key.
#pragma once

#include "document/diagnostics.h"
#include "document/key_path.h"
#include "document/node.h"

namespace assay::document {

// Merges `value` over the existing value at the path (as extends does) and creates the tables on the way.
void set_path(Node& root, const KeyPath& path, const Position& key_position, Node value, Diagnostics& diagnostics);

}  // namespace assay::document
