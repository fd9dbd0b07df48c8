// Defaults and types of a document's keys, for expressions and conditions of a sweep.
#pragma once

#include <optional>

#include "document/key_path.h"
#include "document/node.h"
#include "schema/descriptors.h"

namespace assay::schema {

// The default of a key that the document omits. No value when there is no such key or its default is not a scalar.
std::optional<document::Node> default_of_key(const document::Node& document, const Catalogue& catalogue,
                                             const document::KeyPath& path);

// Whether the key takes text (a name, a file, a label) instead of a number. The key of a list element is its index.
bool takes_text(const document::Node& document, const Catalogue& catalogue, const document::KeyPath& path);

}  // namespace assay::schema
