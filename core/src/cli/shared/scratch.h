// Folders of results that nobody keeps: of --smoke and of recheck.
#pragma once

#include <filesystem>

#include "base/lock.h"

namespace assay::cli {

// Empties it; it is the caller's alone while the lock lives. Throws UserError when another process is at work there.
base::FileLock empty_scratch(const std::filesystem::path& folder);

}  // namespace assay::cli
