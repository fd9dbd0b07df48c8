// Approach 1: at each of many budgets the run with the lowest loss on its way; then lines through those runs.
// Hoffmann et al. 2022, arXiv:2203.15556, sec. 3.1.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "scaling/line.h"

namespace assay::scaling {

// The training curve of one run: the loss of each step.
struct Curve {
  double parameters = 0;         // N
  double flops_per_token = 0;    // C / D of the run
  std::vector<double> steps{};   // at which the loss was logged; ascending
  std::vector<double> flops{};   // C after these steps
  std::vector<double> losses{};  // nats per token
  std::string name{};
};

struct EnvelopeOptions {
  double smoothing_window = 10;  // standard deviation of the Gaussian, in steps; 0: none
  std::size_t points = 1500;     // budgets, evenly spaced in log C
};

struct EnvelopePoint {
  double flops = 0, loss = 0;
  std::size_t curve = 0;  // index
};

struct EnvelopeFit {
  std::vector<EnvelopePoint> points;  // by budget
  PowerLine parameters, tokens;
  std::vector<std::size_t> used;  // curves that are the lowest somewhere; lines need two sizes among them
};

// A weighted mean over the logged steps; weights are Gaussian in the distance of steps, cut at four standard deviations
// and at the ends of the curve.
std::vector<double> smoothed(std::span<const double> steps, std::span<const double> losses, double window);

// The smoothed curves at every budget, so that many choices of curves can be fitted.
class Envelope {
 public:
  // Throws UserError for fewer than two curves, and for a curve of fewer than two steps.
  Envelope(std::span<const Curve> curves, const EnvelopeOptions& options);

  EnvelopeFit fit() const;
  // Of these curves alone, each once or several times.
  EnvelopeFit fit(std::span<const std::size_t> chosen) const;

 private:
  std::vector<double> parameters_, flops_per_token_;  // of each curve
  std::vector<double> flops_;
  std::vector<std::vector<double>> losses_;  // by curve, then by budget; infinite outside of the curve
};

}  // namespace assay::scaling
