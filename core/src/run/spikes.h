// Optionally skips updates whose loss or gradient norm is far above the previous ones. The idea is from llm.c
// (outlier_detector.h); here a value is scored against the window before it, not against a window that includes it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace assay::run {

// The last values, oldest first; stored in checkpoints.
struct Recent {
  std::vector<double> losses = {}, norms = {};
};

class SpikeGuard {
 public:
  static constexpr size_t kWindow = 128;  // steps

  // Limits in standard deviations above the mean of the window; 0: off.
  SpikeGuard(double loss_z, double norm_z) : loss_z_(loss_z), norm_z_(norm_z) {}

  // Returns why the next step, whose numbers must be finite, is to be skipped, else "". The step enters the window in
  // either case, so that a lasting change does not remain a spike. Before the window is full, no step is a spike.
  std::string fault(double loss, double norm);

  Recent recent;

 private:
  double loss_z_, norm_z_;
};

}  // namespace assay::run
