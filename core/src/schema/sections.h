// The core's own sections of an experiment file, in the same form as a plugin's parameters.
#pragma once

#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/node.h"
#include "schema/descriptors.h"

namespace assay::schema {

// experiment data train resources mesh log compare tune report claim figure scaling grid objective transform evaluate
// tracker
const std::vector<Parameter>& section_parameters(const std::string& section);

enum class Shape { kTable, kEntries, kAny };
struct Section {
  std::string name;
  Shape shape;
};
// The top-level sections of a file besides `extends` and `positional`, in display order.
const std::vector<Section>& top_sections();

// Checks that every top-level key of the file is a section of the right shape.
void check_sections(const document::Node& document, document::Diagnostics& diagnostics);

}  // namespace assay::schema
