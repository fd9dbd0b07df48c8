// The key check of sections that hold no components and no paths: [compare], [[claim]], [[figure]].
#pragma once

#include <string>

#include "config/diagnostics.h"
#include "config/node.h"

namespace assay::config {

// Every key known, of its type and in its range, as for every other table; `owner` names the table in messages.
void check_section_keys(const Node& node, const std::string& section, const std::string& owner,
                        Diagnostics& diagnostics);

}  // namespace assay::config
