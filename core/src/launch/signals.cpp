#include "launch/signals.h"

namespace assay::launch {

SignalQueue::SignalQueue() {
  sigemptyset(&waited_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
    struct sigaction now {};
    sigaction(signal, nullptr, &now);
    if (now.sa_handler != SIG_IGN) sigaddset(&waited_, signal);  // ignored under nohup or in the background of a script
  }
  pthread_sigmask(SIG_BLOCK, &waited_, &before_);
}

SignalQueue::~SignalQueue() {
  while (wait(std::chrono::milliseconds(0)) != 0) {  // a late signal must not be delivered when unblocked
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int SignalQueue::wait(std::chrono::milliseconds at_most) {
  const timespec limit{.tv_sec = at_most.count() / 1000, .tv_nsec = at_most.count() % 1000 * 1000000};
  const int signal = sigtimedwait(&waited_, nullptr, &limit);
  return signal > 0 ? signal : 0;
}

}  // namespace assay::launch
