// The process that holds a lock file, asked by a signal.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace assay::base {

// Sends the signal to process `pid` of this machine if it has `file` open: ids of processes are used again, and a
// stranger must not get it. False when nothing was sent.
bool signal_holder(pid_t pid, const std::filesystem::path& file, int signal);

}  // namespace assay::base
