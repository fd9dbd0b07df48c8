// Scratch folders for results: those of --smoke and of recheck.
#pragma once

#include <filesystem>

#include "base/lock.h"

namespace assay::cli {

// Empties the folder; the lock gives the caller exclusive use. Throws UserError when another process uses it.
base::FileLock empty_scratch(const std::filesystem::path& folder);

}  // namespace assay::cli
