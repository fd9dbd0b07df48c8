// Where the hooks that threads run are written down (InHook of assay/component.h), and which of them failed.
#pragma once

#include <optional>
#include <string>

#include "assay/component.h"
#include "record/hook_file.h"

namespace assay::loader {

// From now on every hook that a thread enters or leaves is written into its slot of this memory, for as long as the
// process lives. Before that nothing is written.
void publish_hooks(const record::HookFile& file);

// The innermost hook of this thread that an exception has left since a hook was last entered.
struct FailedHook {
  Identity who;
  std::string hook;
};
const std::optional<FailedHook>& failed_hook();

}  // namespace assay::loader
