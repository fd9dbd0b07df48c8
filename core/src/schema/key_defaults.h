// What the parameters say of a document's keys, for expressions and conditions of a sweep.
#pragma once

#include <optional>

#include "document/key_path.h"
#include "document/node.h"
#include "schema/descriptors.h"

namespace assay::schema {

// The default of a key that the document leaves out. Nothing when there is no such key, or its default is not a scalar.
std::optional<document::Node> default_of_key(const document::Node& document, const Catalogue& catalogue,
                                             const document::KeyPath& path);

// Whether what the key takes is not a number, but a name, a file, a label. An element of a list has its index for a
// key.
bool takes_text(const document::Node& document, const Catalogue& catalogue, const document::KeyPath& path);

}  // namespace assay::schema
