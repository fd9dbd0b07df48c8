// Where the hooks that threads run are written down (InHook of assay/component.h).
#pragma once

#include "record/hook_file.h"

namespace assay {

// From now on every hook that a thread enters or leaves is written into its slot of this memory, for as long as the
// process lives. Before that nothing is written.
void publish_hooks(const HookFile& file);

}  // namespace assay
