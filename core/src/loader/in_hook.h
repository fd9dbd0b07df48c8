// Publishes the hooks that threads are running (InHook of assay/component.h) and records which of them failed.
#pragma once

#include <optional>
#include <string>

#include "assay/component.h"
#include "record/hook_file.h"

namespace assay::loader {

// After this call, every hook that a thread enters or leaves is written to the thread's slot of this memory, until the
// process ends. Before it, nothing is written.
void publish_hooks(const record::HookFile& file);

// The innermost hook of this thread that an exception has left since a hook was last entered.
struct FailedHook {
  Identity identity;
  std::string hook;
};
const std::optional<FailedHook>& failed_hook();

}  // namespace assay::loader
