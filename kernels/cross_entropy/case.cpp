// Sizes at which the versions are compared and timed: byte and subword vocabularies, a slice of one, a row of one
// column.
#include "case.h"

#include <memory>
#include <type_traits>

#include "cross_entropy/cross_entropy.h"
#include "device/buffer.h"

namespace assay::kernels::cross_entropy {
namespace {

using kernels::Version;  // the implementation; cross_entropy::Version<T> has its functions

template <class T>
const cross_entropy::Version<T>& functions(Version version) {
  return version == Version::kReference ? reference<T>() : version == Version::kCpu ? cpu<T>() : cuda<T>();
}

struct Size {
  int64_t rows, columns, stride, begin, vocabulary;
  double spread;  // of the logits
};

template <class T>
struct Operands {
  Operands(const Size& size, Version version, const std::vector<double>& given)
      : slice{size.rows, size.columns, size.stride, size.begin},
        width(size.columns + 3),
        logits(std::vector<T>(given.begin(), given.end()), version),
        targets(made_targets(size), version),
        upstream(made_upstream(size), version),
        largest(std::vector<T>(static_cast<size_t>(size.rows)), version),
        total(std::vector<T>(static_cast<size_t>(size.rows)), version),
        own(std::vector<T>(static_cast<size_t>(size.rows)), version),
        gradient(std::vector<T>(static_cast<size_t>(size.rows * width), T{7}), version),
        run(functions<T>(version)) {}

  static std::vector<int64_t> made_targets(const Size& size) {
    std::vector<int64_t> targets;
    for (int64_t n = 0; n < size.rows; ++n) targets.push_back(n * 37 % size.vocabulary);
    return targets;
  }
  static std::vector<T> made_upstream(const Size& size) {
    const auto numbers = made_numbers(static_cast<size_t>(size.rows), 3);
    return {numbers.begin(), numbers.end()};
  }

  void forward() {
    run.largest(slice, logits.data(), largest.data());
    run.sums(slice, logits.data(), targets.data(), largest.data(), total.data(), own.data());
  }
  void backward() {
    run.gradient(slice, logits.data(), targets.data(), largest.data(), total.data(), upstream.data(), width,
                 gradient.data());
  }

  Slice slice;
  int64_t width;
  Buffer<T> logits;
  Buffer<int64_t> targets;
  Buffer<T> upstream, largest, total, own, gradient;
  const cross_entropy::Version<T>& run;
};

std::vector<double> logits_of(const Size& size) {
  auto logits = made_numbers(static_cast<size_t>(size.rows * size.stride), 1);
  for (auto& logit : logits) logit *= size.spread;
  return logits;
}

template <class T>
Case made(const Size& size) {
  Case out;
  out.name = std::string("cross_entropy ") + (std::is_same_v<T, float> ? "fp32 " : "fp64 ") +
             std::to_string(size.rows) + "x" + std::to_string(size.columns);
  out.tolerance = std::is_same_v<T, float> ? 4e-6 : 4e-14;
  out.outputs = [size](Version version) {
    Operands<T> operands(size, version, logits_of(size));
    operands.forward();
    operands.backward();
    std::vector<double> all;
    for (auto* buffer : {&operands.largest, &operands.total, &operands.own, &operands.gradient}) {
      const auto values = buffer->read();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  };
  out.work = [size](Version version) {
    auto operands = std::make_shared<Operands<T>>(size, version, logits_of(size));
    return [operands, version] {
      operands->forward();
      operands->backward();
      if (version == Version::kCuda) device::wait();
    };
  };
  if constexpr (std::is_same_v<T, float>) return out;
  if (size.rows * size.stride > 200) return out;
  // The three steps give the loss only if one slice is the whole vocabulary.
  out.at = logits_of(size);
  out.loss = [size](const std::vector<double>& logits) {
    Operands<double> operands(size, Version::kReference, logits);
    operands.forward();
    const auto largest = operands.largest.read(), total = operands.total.read(), own = operands.own.read(),
               upstream = operands.upstream.read();
    double loss = 0;
    for (size_t n = 0; n < total.size(); ++n) loss += upstream[n] * (std::log(total[n]) + largest[n] - own[n]);
    return loss;
  };
  out.gradient = [size](Version version, const std::vector<double>& logits) {
    Operands<double> operands(size, version, logits);
    operands.forward();
    operands.backward();
    const auto wide = operands.gradient.read();
    std::vector<double> gradient(logits.size(), 0.0);
    for (int64_t n = 0; n < size.rows; ++n)
      for (int64_t c = 0; c < size.columns; ++c)
        gradient[static_cast<size_t>(n * size.stride + c)] = wide[static_cast<size_t>(n * operands.width + c)];
    return gradient;
  };
  return out;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& size :
       {Size{5, 23, 25, 0, 23, 4}, Size{3, 1, 2, 0, 1, 4}, Size{64, 257, 264, 0, 257, 30},
        Size{7, 100, 128, 128, 512, 100}, Size{2048, 257, 264, 0, 257, 4}, Size{256, 50257, 50264, 0, 50257, 10}}) {
    all.push_back(made<float>(size));
    all.push_back(made<double>(size));
  }
  return all;
}

const Register registered_cases(cases());

}  // namespace
}  // namespace assay::kernels::cross_entropy
