// Sizes at which the versions are compared and timed: heads of every width class, causal and not, more keys than
// queries (a cache), with and without slopes, a dense bias and padding, packed and separate layouts.
#include "case.h"

#include <memory>
#include <type_traits>

#include "attention/attention.h"

namespace assay::kernels::attention {
namespace {

using kernels::Version;  // the implementation; attention::Version<T> has its functions

struct Size {
  int64_t rows, heads, queries, keys, channels;
  bool causal, slopes, shared;
  double dropout = 0;
  int64_t dense = 0;  // rows of a dense bias
  bool padding = false;
};

// If there are as many queries as keys, q, k and v of one time step are adjacent, as in the projection of a model.
struct Places {
  explicit Places(const Size& size) {
    const int64_t H = size.heads, K = size.channels;
    const bool packed = size.queries == size.keys;
    const Layout side_by_side{size.queries * H * 3 * K, H * 3 * K, 3 * K};
    shape.rows = size.rows;
    shape.heads = H;
    shape.queries = size.queries;
    shape.keys = size.keys;
    shape.channels = K;
    shape.causal = size.causal;
    shape.query = packed ? side_by_side : Layout{H * size.queries * K, K, size.queries * K};
    shape.key = shape.value = packed ? side_by_side : Layout{H * size.keys * K, K, size.keys * K};
    shape.out = {size.queries * H * K, H * K, K};
    shape.d_query = shape.query;
    shape.d_key = shape.d_value = shape.key;
    key = packed ? K : size.rows * H * size.queries * K;
    value = packed ? 2 * K : key + size.rows * H * size.keys * K;
    dense = size.rows * H * K * (size.queries + 2 * size.keys);
    inputs = static_cast<size_t>(dense + size.dense * H * size.queries * size.keys);
    outputs = static_cast<size_t>(size.rows * H * K * size.queries);
  }
  Shape shape;
  int64_t key, value, dense;  // their offsets; queries begin at 0
  size_t inputs, outputs;
};

template <class T>
std::vector<T> converted(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

template <class T>
struct Operands {
  Operands(const Size& size, const attention::Version<T>& version, const std::vector<double>& given)
      : places(size),
        run(version),
        inputs(converted<T>(given)),
        gradient(given.size()),
        out(places.outputs),
        log_sum(static_cast<size_t>(size.rows * size.heads * size.queries)),
        upstream(converted<T>(made_numbers(places.outputs, 2))),
        d_dense(size.dense > 0 ? static_cast<size_t>(size.rows * size.heads * size.queries * size.keys) : 0),
        units(size.rows * size.heads) {
    for (int64_t h = 0; h < size.heads; ++h) slopes.push_back(static_cast<T>(0.5 / static_cast<double>(h + 1)));
    for (int64_t b = 0; b < (size.shared ? 1 : size.rows); ++b) {
      for (int64_t j = 0; j < size.keys; ++j) key_positions.push_back(static_cast<T>(j + 3 * b));
      for (int64_t i = size.keys - size.queries; i < size.keys; ++i) positions.push_back(static_cast<T>(i + 3 * b));
    }
    for (int64_t b = 0; b < size.rows; ++b) row_id.push_back(1000 + 3 * b);
    for (int64_t n = 0; n < size.rows * size.queries; ++n) drawn_at.push_back(n % size.queries);
    if (size.dropout > 0)
      mask = {0x123456789abcdef0,     static_cast<uint32_t>(size.dropout * 0x1p32),
              1 / (1 - size.dropout), 4,
              row_id.data(),          drawn_at.data()};
    if (size.slopes) {
      bias.slopes = slopes.data();
      bias.query_positions = positions.data();
      bias.key_positions = key_positions.data();
      bias.shared_positions = size.shared;
    }
    if (size.dense > 0) {
      bias.dense = inputs.data() + places.dense;
      bias.shared_dense = size.dense == 1;
      bias.d_dense = d_dense.data();
    }
    if (!size.padding) return;
    // Padding: the last keys of the first row, the first keys of the last row, and all of a row in between.
    key_mask = std::make_unique<bool[]>(static_cast<size_t>(size.rows * size.keys));
    for (int64_t b = 0; b < size.rows; ++b)
      for (int64_t j = 0; j < size.keys; ++j)
        key_mask[static_cast<size_t>(b * size.keys + j)] = b == 0               ? j < size.keys - 2
                                                           : b == size.rows - 1 ? j > 0
                                                                                : false;
    bias.key_mask = key_mask.get();
  }
  // In two parts, as with two threads.
  void forward() {
    for (const auto& [first, last] : {std::pair{int64_t{0}, units / 2}, {units / 2, units}})
      run.forward(places.shape, bias, mask, first, last, inputs.data(), inputs.data() + places.key,
                  inputs.data() + places.value, out.data(), log_sum.data());
  }
  void backward() {
    for (const auto& [first, last] : {std::pair{int64_t{0}, units / 2}, {units / 2, units}})
      run.backward(places.shape, bias, mask, first, last, inputs.data(), inputs.data() + places.key,
                   inputs.data() + places.value, out.data(), log_sum.data(), upstream.data(), gradient.data(),
                   gradient.data() + places.key, gradient.data() + places.value);
    const size_t rest = gradient.size() - static_cast<size_t>(places.dense);
    std::fill_n(gradient.begin() + places.dense, rest, T{0});
    for (size_t i = 0; i < d_dense.size(); ++i) gradient[static_cast<size_t>(places.dense) + i % rest] += d_dense[i];
  }

  Places places;
  const attention::Version<T>& run;
  std::vector<T> inputs, gradient, out, log_sum, upstream, d_dense, slopes, positions, key_positions;
  std::unique_ptr<bool[]> key_mask;
  std::vector<int64_t> row_id, drawn_at;
  Bias<T> bias;
  Mask mask;
  int64_t units;
};

std::vector<double> inputs_of(const Size& size) { return made_numbers(Places(size).inputs, 1); }

void add_gradient(Case& one, const Size& size, const auto& functions) {
  if (Places(size).inputs > 1500) return;
  one.at = inputs_of(size);
  one.loss = [size](const std::vector<double>& inputs) {
    Operands<double> operands(size, reference<double>(), inputs);
    operands.forward();
    double loss = 0;
    for (size_t i = 0; i < operands.out.size(); ++i) loss += operands.upstream[i] * operands.out[i];
    return loss;
  };
  one.gradient = [size, functions](Version version, const std::vector<double>& inputs) {
    Operands<double> operands(size, functions(version), inputs);
    operands.forward();
    operands.backward();
    return operands.gradient;
  };
}

template <class T>
Case made(const Size& size, const Named<T>& cpu) {
  const auto functions = [&version = cpu.version](Version which) -> const attention::Version<T>& {
    return which == Version::kReference ? reference<T>() : version;
  };
  Case one;
  one.name = std::string("attention ") + (std::is_same_v<T, float> ? "fp32 " : "fp64 ") + std::to_string(size.rows) +
             "x" + std::to_string(size.heads) + "x" + std::to_string(size.queries) + "x" + std::to_string(size.keys) +
             "x" + std::to_string(size.channels) + (size.causal ? " causal" : "") + (size.slopes ? " slopes" : "") +
             (size.dense > 0 ? " dense" : "") + (size.padding ? " padding" : "") +
             (size.dropout > 0 ? " dropout" : "") + " " + cpu.instructions;
  one.tolerance = std::is_same_v<T, float> ? 4e-6 : 1e-14;
  one.has_cuda = false;
  one.outputs = [size, functions](Version version) {
    Operands<T> operands(size, functions(version), inputs_of(size));
    operands.forward();
    operands.backward();
    std::vector<double> all;
    for (const auto* values : {&operands.out, &operands.log_sum, &operands.gradient})
      all.insert(all.end(), values->begin(), values->end());
    return all;
  };
  one.work = [size, functions](Version version) {
    auto operands = std::make_shared<Operands<T>>(size, functions(version), inputs_of(size));
    return [operands] {
      operands->forward();
      operands->backward();
    };
  };
  if constexpr (std::is_same_v<T, double>) add_gradient(one, size, functions);
  return one;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& size :
       {Size{1, 2, 5, 5, 4, true, true, true}, Size{2, 2, 6, 6, 3, true, true, true, 0.3},
        Size{2, 2, 90, 90, 24, false, false, true, 0.1}, Size{2, 1, 3, 7, 5, true, true, false},
        Size{2, 2, 6, 6, 3, false, true, true}, Size{2, 3, 77, 77, 24, true, false, true},
        Size{1, 2, 40, 100, 64, true, true, true}, Size{1, 2, 50, 50, 33, false, true, false},
        Size{1, 1, 1, 129, 32, true, true, true}, Size{8, 4, 128, 128, 32, true, true, true},
        Size{8, 4, 128, 128, 32, true, true, true, 0.1}, Size{2, 4, 256, 256, 64, true, false, true},
        Size{2, 2, 6, 6, 3, false, false, true, 0.3, 1}, Size{3, 2, 5, 5, 4, true, true, true, 0, 3, true},
        Size{3, 1, 6, 6, 3, false, false, true, 0, 1, true}, Size{3, 2, 77, 77, 24, true, false, true, 0.1, 1, true},
        Size{3, 2, 40, 100, 33, true, false, true, 0, 3, true}, Size{8, 4, 128, 128, 32, false, false, true, 0, 1},
        Size{8, 4, 128, 128, 32, false, false, true, 0, 0, true}}) {
    for (const auto& version : cpu_versions<float>()) all.push_back(made(size, version));
    for (const auto& version : cpu_versions<double>()) all.push_back(made(size, version));
  }
  return all;
}

const Register registered_cases(cases());

}  // namespace
}  // namespace assay::kernels::attention
