#include "launch/load.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <thread>

#include "base/files.h"

namespace assay::launch {
namespace {

constexpr int kSamples = 5;
constexpr std::chrono::milliseconds kBetween{2};

// Measured with two threads on two cores of an EPYC (2026-11-30): alone, 10,000 is as fast as libgomp's default of
// 300,000 and 1,000 is 10 to 20% slower; beside two busy processes the rates are 0.45, 0.25 and 0.75 of one thread's.
constexpr const char *kAlone = "10000", *kCrowded = "1000";

}  // namespace

int runnable_threads(std::string_view loadavg) {
  // "0.20 0.18 0.12 3/80 11206": the number before the slash.
  const auto slash = loadavg.find('/');
  const auto begin = slash == std::string_view::npos ? slash : loadavg.rfind(' ', slash);
  int number = 0;
  if (begin != std::string_view::npos) std::from_chars(&loadavg[begin + 1], &loadavg[slash], number);
  return number;
}

std::string spin_count(int busy_threads, int threads, int cores) {
  return busy_threads + threads > cores ? kCrowded : kAlone;
}

std::optional<std::string> spin_count_now(int threads, int all_threads) {
  if (threads == 1 || std::getenv("GOMP_SPINCOUNT") || std::getenv("OMP_WAIT_POLICY")) return std::nullopt;
  // The least of a few samples: a process that runs for a moment does not count.
  int busy = std::numeric_limits<int>::max();
  for (int sample = 0; sample < kSamples; ++sample) {
    if (sample > 0) std::this_thread::sleep_for(kBetween);
    busy = std::min(busy, runnable_threads(base::read_if_there("/proc/loadavg")) - 1);
  }
  return spin_count(busy, all_threads, static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace assay::launch
