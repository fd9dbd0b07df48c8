// The files of a new plugin.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace assay::cli {

// The files of core/scaffold, by their paths there.
const std::map<std::string, std::string>& scaffold_files();

// Kinds that have a scaffold, sorted.
std::vector<std::string> scaffold_kinds();

// File name -> content. in_tree: for plugins/<kind>/<name> of assay's own tree; otherwise for a CMake project of its
// own. Throws UserError when the kind has no scaffold or the name is not a valid plugin name.
std::map<std::string, std::string> new_plugin(const std::string& kind, const std::string& name, bool in_tree);

}  // namespace assay::cli
