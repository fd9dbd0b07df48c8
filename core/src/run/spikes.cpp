#include "run/spikes.h"

#include <cmath>
#include <numeric>

namespace assay::run {
namespace {

// Distance of `value` above the mean of a full window, in standard deviations; 0 if undefined.
double score(const std::vector<double>& window, double value) {
  if (window.size() < SpikeGuard::kWindow) return 0;
  const auto count = static_cast<double>(window.size());
  const double mean = std::accumulate(window.begin(), window.end(), 0.0) / count;
  double squares = 0;
  for (const double x : window) squares += (x - mean) * (x - mean);
  return squares > 0 ? (value - mean) / std::sqrt(squares / count) : 0;
}

std::string fault_of(std::vector<double>& window, double value, double limit, const char* name) {
  if (limit <= 0) return "";
  const double z = score(window, value);
  if (window.size() == SpikeGuard::kWindow) window.erase(window.begin());
  window.push_back(value);
  if (z <= limit) return "";
  return std::string(name) + " " + std::to_string(value) + " is " + std::to_string(z) +
         " standard deviations above the mean of the " + std::to_string(SpikeGuard::kWindow) +
         " steps before it, more than the limit of " + std::to_string(limit);
}

}  // namespace

std::string SpikeGuard::fault(double loss, double norm) {
  const auto by_loss = fault_of(recent.losses, loss, loss_z_, "loss");
  const auto by_norm = fault_of(recent.norms, norm, norm_z_, "gradient norm");
  return by_loss.empty() ? by_norm : by_loss;
}

}  // namespace assay::run
