// The plain form: loops that follow the formulas, with sums in fp64.
#include <cmath>
#include <limits>

#include "cross_entropy/cross_entropy.h"

namespace assay::kernels::cross_entropy {
namespace {

template <class T>
void largest_of(const Slice& slice, const T* logits, T* largest) {
  for (int64_t n = 0; n < slice.rows; ++n) {
    largest[n] = -std::numeric_limits<T>::infinity();
    for (int64_t c = 0; c < slice.columns; ++c) {
      const T logit = logits[n * slice.stride + c];
      if (logit > largest[n]) largest[n] = logit;
    }
  }
}

template <class T>
void sums_of(const Slice& slice, const T* logits, const int64_t* targets, const T* largest, T* total, T* own) {
  for (int64_t n = 0; n < slice.rows; ++n) {
    double sum = 0;
    own[n] = 0;
    for (int64_t c = 0; c < slice.columns; ++c) {
      const T logit = logits[n * slice.stride + c];
      sum += std::exp(logit - largest[n]);
      if (slice.begin + c == targets[n]) own[n] = logit;
    }
    total[n] = static_cast<T>(sum);
  }
}

template <class T>
void gradient_of(const Slice& slice, const T* logits, const int64_t* targets, const T* largest, const T* total,
                 const T* upstream, int64_t width, T* gradient) {
  for (int64_t n = 0; n < slice.rows; ++n)
    for (int64_t c = 0; c < width; ++c) {
      T& out = gradient[n * width + c];
      out = 0;
      if (c >= slice.columns) continue;
      const T probability = std::exp(logits[n * slice.stride + c] - largest[n]) / total[n];
      out = (probability - (slice.begin + c == targets[n] ? T{1} : T{0})) * upstream[n];
    }
}

}  // namespace

template <class T>
const Version<T>& reference() {
  static const Version<T> version{largest_of<T>, sums_of<T>, gradient_of<T>};
  return version;
}
template const Version<float>& reference<float>();
template const Version<double>& reference<double>();

}  // namespace assay::kernels::cross_entropy
