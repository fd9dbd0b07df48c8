// Checks the keys of sections without components and paths: [compare], [[claim]], [[figure]].
#pragma once

#include <string>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::schema {

// Checks that every key is known and every value has the right type and range. `owner` names the table in messages.
void check_section_keys(const document::Node& node, const std::string& section, const std::string& owner,
                        document::Diagnostics& diagnostics);

}  // namespace assay::schema
