// exp(x) for x <= 0 without branches or table, to be inlined into vector loops. x = n ln 2 + r with |r| <= ln 2 / 2
// (Cody and Waite's split of ln 2), exp(r) by its Taylor polynomial, times 2^n. Results below the normal numbers become
// 0. NaN stays NaN. Error at most 2 units in the last place (float) and 3 (double).
#pragma once

#include <cstdint>
#include <cstring>

namespace assay::kernels {

template <class To, class From>
[[gnu::always_inline]] inline To bits_as(From from) {
  To to;
  static_assert(sizeof to == sizeof from);
  std::memcpy(&to, &from, sizeof to);
  return to;
}

[[gnu::always_inline]] inline float exp_nonpositive(float x) {
  constexpr float kLowest = -87.3365F, kRound = 0x1.8p23F;  // adding kRound leaves the nearest integer in the low bits
  const float clamped = x < kLowest ? kLowest : x;
  const float shifted = clamped * 0x1.715476p+0F + kRound;
  const float n = shifted - kRound;
  const float r = (clamped - n * 0x1.62e4p-1F) - n * 0x1.7f7d1cp-20F;
  float p = 1.0F / 5040;
  p = p * r + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  const auto power = bits_as<float>((bits_as<int32_t>(shifted) << 23) + 0x3F800000);  // 2^n
  return x < kLowest ? 0.0F : p * power;
}

[[gnu::always_inline]] inline double exp_nonpositive(double x) {
  constexpr double kLowest = -708.39, kRound = 0x1.8p52;
  const double clamped = x < kLowest ? kLowest : x;
  const double shifted = clamped * 0x1.71547652b82fep+0 + kRound;
  const double n = shifted - kRound;
  const double r = (clamped - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  double p = 1.0 / 6227020800;
  p = p * r + 1.0 / 479001600;
  p = p * r + 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const auto power = bits_as<double>((bits_as<int64_t>(shifted) << 52) + 0x3FF0000000000000);
  return x < kLowest ? 0.0 : p * power;
}

}  // namespace assay::kernels
