// How a worker is asked to stop: the signal is noted, and the run ends in good order at its next step.
#pragma once

#include <string>

namespace assay::app {

// From now on SIGTERM and SIGUSR2 (the machine wants its cores back) and SIGINT and SIGUSR1 (somebody does not want the
// run now) are noted and do nothing else. mpirun forwards SIGUSR1 and SIGUSR2 to its processes, and only these.
void note_stop_signals();

bool stop_was_asked();

// "preempted" or "cancelled", by the first such signal; empty before one came.
std::string stopped_status();

}  // namespace assay::app
