// The test harness of the kernels: a case is declared once; then its result is checked against the reference, its
// gradient against finite differences of the reference, and its speed is measured.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace assay::kernels {

enum class Version { kReference, kCpu, kCuda };

struct Case {
  std::string name;  // "cross_entropy fp32 64x257"
  // All outputs of one execution on the inputs of the case, as fp64.
  std::function<std::vector<double>(Version)> outputs;
  double tolerance;  // |difference| <= tolerance * max(1, |reference|), for every output
  // The reference as a scalar function of fp64 inputs `at`, and the gradient that a version's backward returns there.
  std::vector<double> at;
  std::function<double(const std::vector<double>&)> loss;
  std::function<std::vector<double>(Version, const std::vector<double>&)> gradient;
  // False for an operation that uses the kernel of LibTorch on a GPU.
  bool has_cuda = true;
  // Work that can be run repeatedly, with its operands prepared.
  std::function<std::function<void()>(Version)> work;
};

// Cases of every operation, in link order.
inline std::vector<Case>& registered() {
  static std::vector<Case> cases;
  return cases;
}
struct Register {
  explicit Register(std::vector<Case> cases) {
    for (auto& one : cases) registered().push_back(std::move(one));
  }
};

// Largest |difference| / max(1, |reference|); infinity when the sizes differ or only one side is NaN.
inline double worst_error(const std::vector<double>& found, const std::vector<double>& expected) {
  if (found.size() != expected.size()) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i]))) continue;
    const double error = std::abs(found[i] - expected[i]) / std::max(1.0, std::abs(expected[i]));
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  }
  return worst;
}

inline std::vector<double> finite_differences(const Case& one, double step = 1e-5) {
  std::vector<double> gradient, at = one.at;
  for (auto& x : at) {
    const double here = x;
    x = here + step;
    const double above = one.loss(at);
    x = here - step;
    gradient.push_back((above - one.loss(at)) / (2 * step));
    x = here;
  }
  return gradient;
}

// Seconds of one execution, the fastest of several rounds.
inline double seconds(const Case& one, Version version) {
  using Clock = std::chrono::steady_clock;
  const auto work = one.work(version);
  work();
  double best = INFINITY;
  for (int round = 0; round < 7; ++round) {
    int repeats = 0;
    const auto begin = Clock::now();
    double elapsed = 0;
    while (elapsed < 0.02) {
      work();
      ++repeats;
      elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
    }
    best = std::min(best, elapsed / repeats);
  }
  return best;
}

// Reproducible pseudo-random numbers, uniform in [-1, 1), by splitmix64.
inline std::vector<double> made_numbers(size_t count, uint64_t seed) {
  std::vector<double> numbers(count);
  for (auto& number : numbers) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t bits = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
    number = static_cast<double>((bits ^ (bits >> 31)) >> 11) * 0x1p-52 - 1.0;
  }
  return numbers;
}

}  // namespace assay::kernels
