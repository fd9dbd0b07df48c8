#include "cli/shared/scratch.h"

#include <algorithm>

#include "assay/error.h"
#include "record/layout.h"

namespace assay::cli {
namespace fs = std::filesystem;

base::FileLock empty_scratch(const fs::path& folder) {
  fs::create_directories(folder.parent_path());
  auto lock = base::FileLock::try_lock(folder.string() + ".lock");
  std::error_code absent;
  const fs::directory_iterator runs(folder / "runs", absent);
  // A worker may still run after its controller was killed.
  if (!lock || std::any_of(begin(runs), end(runs), [](const auto& run) {
        return base::FileLock::is_held(record::RunLayout(run.path()).lock());
      }))
    throw UserError(folder.string() + ": another process uses this folder; wait until it ends, or end it");
  fs::remove_all(folder);
  return std::move(*lock);
}

}  // namespace assay::cli
