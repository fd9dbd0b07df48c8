// Mean, spread and interval of the values that seeds gave.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace assay::compare {

struct Summary {
  std::size_t n = 0;
  double mean = 0;                  // 0 when n = 0
  std::optional<double> deviation;  // sample standard deviation (n - 1); from n = 2 on
  std::optional<double>
      half_width;  // of the 95% Student-t interval of the mean, n - 1 degrees of freedom; from n = 2 on
};

Summary summarise(std::span<const double> values);

// The largest absolute value; 0 of none.
double largest_magnitude(std::span<const double> values);

}  // namespace assay::compare
