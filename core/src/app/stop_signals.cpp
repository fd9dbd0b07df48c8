#include "app/stop_signals.h"

#include <signal.h>

#include <atomic>

namespace assay::app {
namespace {

std::atomic<int> first_signal{0};  // lock-free, so a handler may write it
static_assert(std::atomic<int>::is_always_lock_free);

void note(int signal) {
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
}

}  // namespace

void note_stop_signals() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) ::sigaction(signal, &action, nullptr);
}

bool stop_requested() { return first_signal.load() != 0; }

record::RunStatus stopped_status() {
  const int signal = first_signal.load();
  return signal == SIGTERM || signal == SIGUSR2 ? record::RunStatus::kPreempted : record::RunStatus::kCancelled;
}

}  // namespace assay::app
