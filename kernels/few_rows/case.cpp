// From one row to more than one group, inner dimensions that are not a multiple of a vector, with and without a bias.
#include "case.h"

#include <memory>
#include <type_traits>

#include "few_rows/few_rows.h"

namespace assay::kernels::few_rows {
namespace {

using kernels::Version;  // the implementation; few_rows::Version<T> has its functions

struct Size {
  int64_t rows, in, out;
  bool bias;
};

template <class T>
struct Operands {
  Operands(Version version, const Size& size)
      : run(version == Version::kReference ? reference<T>() : cpu<T>()), size(size), y(size_of(size.rows * size.out)) {
    fill(x, size.rows * size.in, 1);
    fill(weight, size.out * size.in, 2);
    fill(bias, size.bias ? size.out : 0, 3);
  }
  void product() {
    run.product(size.rows, size.in, size.out, 0, size.out, x.data(), weight.data(), size.bias ? bias.data() : nullptr,
                y.data());
  }
  static size_t size_of(int64_t count) { return static_cast<size_t>(count); }
  static void fill(std::vector<T>& vector, int64_t count, uint64_t seed) {
    const auto numbers = made_numbers(size_of(count), seed);
    vector.assign(numbers.begin(), numbers.end());
  }

  const few_rows::Version<T>& run;
  Size size;
  std::vector<T> x, weight, bias, y;
};

template <class T>
Case made(const Size& size) {
  Case one;
  one.name = std::string("few_rows ") + (std::is_same_v<T, float> ? "fp32 " : "fp64 ") + std::to_string(size.rows) +
             "x" + std::to_string(size.in) + "x" + std::to_string(size.out);
  one.tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-13;
  one.has_cuda = false;
  one.outputs = [size](Version version) {
    Operands<T> operands(version, size);
    operands.product();
    return std::vector<double>(operands.y.begin(), operands.y.end());
  };
  one.work = [size](Version version) {
    auto operands = std::make_shared<Operands<T>>(version, size);
    return [operands] { operands->product(); };
  };
  return one;
}

const Register registered_cases({made<float>({1, 128, 384, true}), made<float>({5, 128, 384, true}),
                                 made<float>({2, 13, 7, false}), made<float>({3, 96, 257, false}),
                                 made<float>({4, 3, 9, true}), made<float>({16, 128, 512, true}),
                                 made<double>({1, 13, 11, true}), made<double>({8, 64, 33, false})});

}  // namespace
}  // namespace assay::kernels::few_rows
