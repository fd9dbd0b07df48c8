#include "schema/section_keys.h"

#include "schema/data_paths.h"
#include "schema/resolve.h"
#include "schema/sections.h"

namespace assay::schema {

void check_section_keys(const document::Node& node, const std::string& section, const std::string& owner,
                        document::Diagnostics& diagnostics) {
  const Catalogue none;
  PathFinder no_paths;
  Resolver(none, no_paths, diagnostics).section(node, section_parameters(section), owner);
}

}  // namespace assay::schema
