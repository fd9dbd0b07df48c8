#include "config/section_keys.h"

#include "config/data_paths.h"
#include "config/resolve.h"
#include "config/sections.h"

namespace assay::config {

void check_section_keys(const Node& node, const std::string& section, const std::string& owner,
                        Diagnostics& diagnostics) {
  const Catalogue none;
  PathFinder no_paths;
  Resolver(none, no_paths, diagnostics).section(node, section_parameters(section), owner);
}

}  // namespace assay::config
