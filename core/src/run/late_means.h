// Means over the last tenth of a run's steps, of the loss and of the metrics that components log.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>

namespace assay::run {

class LateMeans {
 public:
  struct Sum {
    double sum = 0;
    int64_t count = 0;  // steps that had a value
  };

  // Adds the value of one step. For a skipped step, only finite values count (those of a spike), because a non-finite
  // value belongs to an update that was never made.
  void add(const std::string& name, double value, bool skipped) {
    auto& [sum, count] = sums_[name];
    if (skipped && !std::isfinite(value)) return;
    sum += value;
    ++count;
  }

  // Means by name. NaN if no value of a name counted; a name without any value is absent.
  std::map<std::string, double> means() const {
    std::map<std::string, double> means;
    for (const auto& [name, of] : sums_) means[name] = of.sum / static_cast<double>(of.count);
    return means;
  }

  // The sums stored in checkpoints.
  const std::map<std::string, Sum>& sums() const { return sums_; }
  void restore(const std::string& name, const Sum& sum) { sums_[name] = sum; }

 private:
  std::map<std::string, Sum> sums_;
};

}  // namespace assay::run
