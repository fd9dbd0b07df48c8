// Sends a signal to the process that holds a lock file.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace assay::base {

// Sends the signal to process `pid` of this machine if it has `file` open: process ids are reused, and an unrelated
// process must not receive the signal. Returns false when nothing was sent.
bool signal_holder(pid_t pid, const std::filesystem::path& file, int signal);

}  // namespace assay::base
