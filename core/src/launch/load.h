// How busy this machine is when a worker starts, and what follows for OpenMP's threads that wait for work.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace assay::launch {

// Threads that run or could run now, this one included, from the text of /proc/loadavg; 0 when it does not say.
int runnable_threads(std::string_view loadavg);

// GOMP_SPINCOUNT, the number of times that a waiting thread of GCC's OpenMP looks for work before it sleeps. A long
// wait is faster while every thread has a core of its own. On a machine with fewer cores than busy threads it takes
// them from the threads that work.
std::string spin_count(int busy_threads, int threads, int cores);

// The value for a worker that starts now with this many threads per rank, and in all its ranks. Nothing for one thread
// per rank, which never waits, and nothing when the user has set GOMP_SPINCOUNT or OMP_WAIT_POLICY.
std::optional<std::string> spin_count_now(int threads, int all_threads);

}  // namespace assay::launch
