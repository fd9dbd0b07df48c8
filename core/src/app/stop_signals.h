// Stop requests to a worker: the signal is recorded, and the run checkpoints and exits at its next step.
#pragma once

#include "record/status.h"

namespace assay::app {

// Installs handlers that only record SIGTERM and SIGUSR2 (preemption) and SIGINT and SIGUSR1 (cancellation). mpirun
// forwards SIGUSR1 and SIGUSR2 to its processes, and only these.
void note_stop_signals();

bool stop_requested();

// kPreempted or kCancelled, by the first such signal. Call it only after stop_requested() is true.
record::RunStatus stopped_status();

}  // namespace assay::app
