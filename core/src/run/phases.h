// Time of a run per phase, in seconds, measured on the first rank. Waiting for other ranks counts in the phase that
// waits.
#pragma once

#include <chrono>

namespace assay::run {

struct Phases {
  double data = 0, forward = 0, backward = 0, optimizer = 0, evaluation = 0;
};

// Adds the duration of a scope.
class ScopedTimer {
 public:
  explicit ScopedTimer(double& seconds) : seconds_(seconds) {}
  ~ScopedTimer() { seconds_ += std::chrono::duration<double>(Clock::now() - began_).count(); }
  ScopedTimer(const ScopedTimer&) = delete;
  ScopedTimer& operator=(const ScopedTimer&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  double& seconds_;
  Clock::time_point began_ = Clock::now();
};

}  // namespace assay::run
