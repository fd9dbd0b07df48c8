// The key check of sections that hold no components and no paths: [compare], [[claim]], [[figure]].
#pragma once

#include <string>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::schema {

// Every key known, of its type and in its range, as for every other table; `owner` names the table in messages.
void check_section_keys(const document::Node& node, const std::string& section, const std::string& owner,
                        document::Diagnostics& diagnostics);

}  // namespace assay::schema
