// The files of a new plugin.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace assay::cli {

// What stands in core/scaffold, by its path there.
const std::map<std::string, std::string>& scaffold_files();

// Kinds that have a scaffold, sorted.
std::vector<std::string> scaffold_kinds();

// File name -> content. in_tree: for plugins/<kind>/<name> of assay's own tree; else a CMake project of its own.
// UserError when the kind has no scaffold or the name is no name for a plugin.
std::map<std::string, std::string> new_plugin(const std::string& kind, const std::string& name, bool in_tree);

}  // namespace assay::cli
