// Percentiles and the intervals between them.
#pragma once

#include <vector>

namespace assay::compare {

struct Interval {
  double low = 0, high = 0;
};

// Linear between order statistics (type 7 of Hyndman and Fan 1996, numpy's default); `sorted` is not empty and ascends.
double percentile(const std::vector<double>& sorted, double share);

// Between two percentiles, such as 0.025 and 0.975; `values` is not empty.
Interval percentile_interval(std::vector<double> values, double low, double high);

}  // namespace assay::compare
