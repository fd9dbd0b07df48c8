// Numbers of every magnitude: where the function is linear, where it is curved, and where it is zero.
#include "case.h"

#include <memory>
#include <type_traits>

#include "gelu/gelu.h"

namespace assay::kernels::gelu {
namespace {

using kernels::Version;  // the implementation; gelu::Version<T> has its functions

template <class T>
const gelu::Version<T>& functions(Version version) {
  return version == Version::kReference ? reference<T>() : cpu<T>();
}

std::vector<double> inputs_of(int64_t count) {
  auto x = made_numbers(static_cast<size_t>(count), 1);
  const double sizes[] = {1e-4, 0.5, 3, 12};
  for (size_t i = 0; i < x.size(); ++i) x[i] *= sizes[i % 4];
  return x;
}

template <class T>
struct Operands {
  Operands(Version version, const std::vector<double>& given)
      : run(functions<T>(version)), x(given.begin(), given.end()), y(x.size()), d_x(x.size()) {
    const auto numbers = made_numbers(x.size(), 2);
    d_y.assign(numbers.begin(), numbers.end());
  }
  void forward() { run.forward(static_cast<int64_t>(x.size()), x.data(), y.data()); }
  void backward() { run.backward(static_cast<int64_t>(x.size()), x.data(), d_y.data(), d_x.data()); }

  const gelu::Version<T>& run;
  std::vector<T> x, y, d_y, d_x;
};

template <class T>
Case made(int64_t count) {
  Case one;
  one.name = std::string("gelu ") + (std::is_same_v<T, float> ? "fp32 " : "fp64 ") + std::to_string(count);
  one.tolerance = std::is_same_v<T, float> ? 1e-6 : 2e-15;
  one.has_cuda = false;
  one.outputs = [count](Version version) {
    Operands<T> operands(version, inputs_of(count));
    operands.forward();
    operands.backward();
    std::vector<double> all(operands.y.begin(), operands.y.end());
    all.insert(all.end(), operands.d_x.begin(), operands.d_x.end());
    return all;
  };
  one.work = [count](Version version) {
    auto operands = std::make_shared<Operands<T>>(version, inputs_of(count));
    return [operands] {
      operands->forward();
      operands->backward();
    };
  };
  if constexpr (std::is_same_v<T, float>) return one;
  if (count > 200) return one;
  one.at = inputs_of(count);
  one.loss = [](const std::vector<double>& x) {
    Operands<double> operands(Version::kReference, x);
    operands.forward();
    double loss = 0;
    for (size_t i = 0; i < x.size(); ++i) loss += operands.d_y[i] * operands.y[i];
    return loss;
  };
  one.gradient = [](Version version, const std::vector<double>& x) {
    Operands<double> operands(version, x);
    operands.backward();
    return operands.d_x;
  };
  return one;
}

const Register registered_cases({made<float>(67), made<double>(67), made<float>(1 << 18), made<double>(1 << 18)});

}  // namespace
}  // namespace assay::kernels::gelu
