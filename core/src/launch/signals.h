// Waits for Ctrl-C and for children without signal handlers: the signals are blocked and fetched one by one.
#pragma once

#include <signal.h>

#include <chrono>

namespace assay::launch {

// While an object lives, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGCHLD are queued instead of delivered, except
// those that are ignored already. For the controller's only thread.
class SignalQueue {
 public:
  SignalQueue();
  ~SignalQueue();
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  // The next signal; 0 if none arrives in time.
  int wait(std::chrono::milliseconds at_most);

 private:
  sigset_t waited_;
  sigset_t before_;
};

}  // namespace assay::launch
