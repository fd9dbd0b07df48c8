// Updates whose loss or gradient norm stands far above those before are left out, by choice. The idea is llm.c's
// (outlier_detector.h); here a value is scored against the window before it, not against one that holds it already.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace assay::run {

// The last values, oldest first; of a run that goes on, part of its checkpoint.
struct Recent {
  std::vector<double> losses = {}, norms = {};
};

class SpikeGuard {
 public:
  static constexpr size_t kWindow = 128;  // steps

  // In standard deviations above the mean of the window; 0: off.
  SpikeGuard(double loss_z, double norm_z) : loss_z_(loss_z), norm_z_(norm_z) {}

  // Of the next step, whose numbers are finite: why it is to be left out, else "". It counts among the steps before
  // the next in any case, so that a lasting change is no spike for long. Nothing is one before the window is full.
  std::string fault(double loss, double norm);

  Recent recent;

 private:
  double loss_z_, norm_z_;
};

}  // namespace assay::run
