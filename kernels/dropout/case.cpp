// Sizes at which the versions are compared and timed: hidden states, attention probabilities of several heads, odd
// widths.
#include "case.h"

#include <memory>
#include <type_traits>

#include "device/buffer.h"
#include "dropout/dropout.h"

namespace assay::kernels::dropout {
namespace {

struct Size {
  int64_t rows, heads, queries, channels, head_begin;
};

template <class T>
Function<T> function(Version version) {
  return version == Version::kReference ? reference<T> : version == Version::kCpu ? cpu<T> : cuda<T>;
}

template <class T>
struct Operands {
  Operands(const Size& size, Version version, const std::vector<double>& given)
      : shape{size.rows, size.heads, size.queries, size.channels},
        rows(counted(size.rows, 1000), version),
        positions(counted(size.rows * size.queries, 5), version),
        x(std::vector<T>(given.begin(), given.end()), version),
        out(std::vector<T>(given.size(), T{7}), version),
        mask{0x123456789abcdef0, 0x40000000, 1 / 0.75, size.head_begin, rows.data(), positions.data()},
        run(function<T>(version)) {}

  static std::vector<int64_t> counted(int64_t count, int64_t first) {
    std::vector<int64_t> values;
    for (int64_t i = 0; i < count; ++i) values.push_back(first + 3 * i);
    return values;
  }
  void forward() { run(shape, mask, x.data(), out.data()); }

  Shape shape;
  Buffer<int64_t> rows, positions;
  Buffer<T> x, out;
  Mask mask;
  Function<T> run;
};

size_t count(const Size& size) { return static_cast<size_t>(size.rows * size.heads * size.queries * size.channels); }

template <class T>
Case made(const Size& size) {
  Case one;
  one.name = std::string("dropout ") + (std::is_same_v<T, float> ? "fp32 " : "fp64 ") + std::to_string(size.rows) +
             "x" + std::to_string(size.heads) + "x" + std::to_string(size.queries) + "x" +
             std::to_string(size.channels);
  one.tolerance = 0;
  one.outputs = [size](Version version) {
    Operands<T> operands(size, version, made_numbers(count(size), 1));
    operands.forward();
    return operands.out.read();
  };
  one.work = [size](Version version) {
    auto operands = std::make_shared<Operands<T>>(size, version, made_numbers(count(size), 1));
    return [operands, version] {
      operands->forward();
      if (version == Version::kCuda) device::wait();
    };
  };
  if constexpr (std::is_same_v<T, float>) return one;
  if (count(size) > 200) return one;
  // loss = sum of weights * out; its gradient is the same function of the weights.
  one.at = made_numbers(count(size), 1);
  const auto weights = made_numbers(count(size), 2);
  one.loss = [size, weights](const std::vector<double>& x) {
    Operands<double> operands(size, Version::kReference, x);
    operands.forward();
    const auto out = operands.out.read();
    double loss = 0;
    for (size_t i = 0; i < out.size(); ++i) loss += weights[i] * out[i];
    return loss;
  };
  one.gradient = [size, weights](Version version, const std::vector<double>&) {
    Operands<double> operands(size, version, weights);
    operands.forward();
    return operands.out.read();
  };
  return one;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& size : {Size{2, 1, 3, 13, 0}, Size{2, 3, 2, 6, 4}, Size{3, 2, 5, 67, 8}, Size{32, 1, 128, 128, 0},
                           Size{16, 4, 128, 128, 4}}) {
    all.push_back(made<float>(size));
    all.push_back(made<double>(size));
  }
  return all;
}

const Register registered_cases(cases());

}  // namespace
}  // namespace assay::kernels::dropout
