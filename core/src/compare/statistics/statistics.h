// Mean, spread and confidence interval of the values of several seeds.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace assay::compare {

struct Summary {
  std::size_t n = 0;
  double mean = 0;                  // 0 if n = 0
  std::optional<double> deviation;  // sample standard deviation (n - 1), for n >= 2
  std::optional<double>
      half_width;  // of the 95% Student-t interval of the mean, with n - 1 degrees of freedom, for n >= 2
};

Summary summarise(std::span<const double> values);

// The largest absolute value; 0 if there is none.
double largest_magnitude(std::span<const double> values);

}  // namespace assay::compare
