// Signals that are received, and those that were ignored when the program started.
#include "launch/signals.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace assay::launch {
namespace {

TEST(SignalQueue, ReceivesSignals) {
  ::signal(SIGHUP, SIG_DFL);
  SignalQueue signals;
  ::raise(SIGHUP);
  EXPECT_EQ(signals.wait(std::chrono::milliseconds(0)), SIGHUP);
  EXPECT_EQ(signals.wait(std::chrono::milliseconds(0)), 0);
}

// As under nohup.
TEST(SignalQueue, LeavesIgnoredSignalsIgnored) {
  const auto before = ::signal(SIGHUP, SIG_IGN);
  {
    SignalQueue signals;
    ::raise(SIGHUP);
    EXPECT_EQ(signals.wait(std::chrono::milliseconds(0)), 0);
  }
  ::signal(SIGHUP, before);
}

}  // namespace
}  // namespace assay::launch
