// Loads an experiment file and all files that it extends as one tree.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "document/node.h"

namespace assay::document {

struct SourceFile {
  std::string name;  // as given, or as the folder of the extending file and the name there
  std::string text;
};

struct Document {
  Node root{Table{}, {}};
  std::vector<SourceFile> sources;  // in the order of merging; the experiment file itself is the last
};

// Throws ConfigErrors when a file cannot be read or is not valid TOML, because errors about its missing content would
// be misleading. Other errors are added to the diagnostics.
Document load_document(const std::string& file, Diagnostics& diagnostics);

}  // namespace assay::document
