// The plain form: one query at a time, all its probabilities at once, in fp64.
#include <cmath>
#include <limits>
#include <vector>

#include "attention/attention.h"

namespace assay::kernels::attention {
namespace {

// One (row, head) of a tensor.
template <class T>
struct View {
  View(T* data, const Layout& layout, int64_t row, int64_t head)
      : data(data + row * layout.row + head * layout.head), time(layout.time) {}
  T& at(int64_t t, int64_t c) const { return data[t * time + c]; }
  T* data;
  int64_t time;
};

// Scores of query i; minus infinity for masked keys.
template <class T>
std::vector<double> scores_of(const Shape& shape, const Bias<T>& bias, int64_t row, int64_t head, int64_t i,
                              const View<const T>& q, const View<const T>& k) {
  std::vector<double> scores;
  for (int64_t j = 0; j < shape.keys; ++j) {
    double score = 0;
    for (int64_t c = 0; c < shape.channels; ++c) score += double{q.at(i, c)} * double{k.at(j, c)};
    score /= std::sqrt(static_cast<double>(shape.channels));
    if (bias.slopes) {
      const int64_t shared = bias.shared_positions ? 0 : row;
      const double distance = double{bias.query_positions[shared * shape.queries + i]} -
                              double{bias.key_positions[shared * shape.keys + j]};
      score -= double{bias.slopes[head]} * (shape.causal ? distance : std::abs(distance));
    }
    const int64_t own = i + shape.keys - shape.queries;
    if (bias.dense)
      score += double{bias.dense[((bias.shared_dense ? 0 : row) * shape.heads + head) * shape.queries * shape.keys +
                                 i * shape.keys + j]};
    const bool padding = bias.key_mask && !bias.key_mask[row * shape.keys + j] && j != own;
    const bool hidden = padding || (shape.causal && j > own);
    scores.push_back(hidden ? -std::numeric_limits<double>::infinity() : score);
  }
  return scores;
}

// The dropout factors of the probabilities of query i.
std::vector<double> factors_of(const Shape& shape, const Mask& mask, int64_t row, int64_t head, int64_t i) {
  std::vector<double> factors(static_cast<size_t>(shape.keys), 1.0);
  if (!mask.row_id) return factors;
  auto own = mask;
  own.head_begin += head;
  own.row_id += row;
  own.positions += row * shape.queries + i;
  dropout::reference<double>({1, 1, 1, shape.keys}, own, factors.data(), factors.data());
  return factors;
}

template <class T>
void forward(const Shape& shape, const Bias<T>& bias, const Mask& mask, int64_t first, int64_t last, const T* query,
             const T* key, const T* value, T* result, T* log_sum) {
  for (int64_t unit = first; unit < last; ++unit) {
    const int64_t row = unit / shape.heads, head = unit % shape.heads;
    const View<const T> q(query, shape.query, row, head), k(key, shape.key, row, head),
        v(value, shape.value, row, head);
    const View<T> out(result, shape.out, row, head);
    for (int64_t i = 0; i < shape.queries; ++i) {
      const auto scores = scores_of(shape, bias, row, head, i, q, k);
      const auto factors = factors_of(shape, mask, row, head, i);
      double sum = 0;
      for (const double score : scores) sum += std::exp(score);
      log_sum[unit * shape.queries + i] = static_cast<T>(std::log(sum));
      for (int64_t c = 0; c < shape.channels; ++c) {
        double total = 0;
        for (int64_t j = 0; j < shape.keys; ++j)
          total += factors[static_cast<size_t>(j)] * std::exp(scores[static_cast<size_t>(j)]) / sum * v.at(j, c);
        out.at(i, c) = static_cast<T>(total);
      }
    }
  }
}

template <class T>
void backward(const Shape& shape, const Bias<T>& bias, const Mask& mask, int64_t first, int64_t last, const T* query,
              const T* key, const T* value, const T* result, const T* log_sum, const T* d_result, T* d_query, T* d_key,
              T* d_value) {
  const double scale = 1 / std::sqrt(static_cast<double>(shape.channels));
  for (int64_t unit = first; unit < last; ++unit) {
    const int64_t row = unit / shape.heads, head = unit % shape.heads;
    const View<const T> q(query, shape.query, row, head), k(key, shape.key, row, head),
        v(value, shape.value, row, head), out(result, shape.out, row, head), d_out(d_result, shape.out, row, head);
    const View<T> d_q(d_query, shape.d_query, row, head), d_k(d_key, shape.d_key, row, head),
        d_v(d_value, shape.d_value, row, head);
    const auto size = static_cast<size_t>(shape.keys * shape.channels);
    std::vector<double> sum_k(size), sum_v(size);
    for (int64_t i = 0; i < shape.queries; ++i) {
      const auto scores = scores_of(shape, bias, row, head, i, q, k);
      const auto factors = factors_of(shape, mask, row, head, i);
      double inner = 0;
      for (int64_t c = 0; c < shape.channels; ++c) inner += double{d_out.at(i, c)} * double{out.at(i, c)};
      std::vector<double> sum_q(static_cast<size_t>(shape.channels));
      for (int64_t j = 0; j < shape.keys; ++j) {
        const double p = std::exp(scores[static_cast<size_t>(j)] - double{log_sum[unit * shape.queries + i]});
        double d_p = 0;
        for (int64_t c = 0; c < shape.channels; ++c) d_p += double{d_out.at(i, c)} * double{v.at(j, c)};
        const double factor = factors[static_cast<size_t>(j)], d_added = p * (factor * d_p - inner),
                     d_score = d_added * scale;
        if (bias.d_dense) bias.d_dense[(unit * shape.queries + i) * shape.keys + j] = static_cast<T>(d_added);
        for (int64_t c = 0; c < shape.channels; ++c) {
          const auto at = static_cast<size_t>(j * shape.channels + c);
          sum_q[static_cast<size_t>(c)] += d_score * k.at(j, c);
          sum_k[at] += d_score * q.at(i, c);
          sum_v[at] += factor * p * d_out.at(i, c);
        }
      }
      for (int64_t c = 0; c < shape.channels; ++c) d_q.at(i, c) = static_cast<T>(sum_q[static_cast<size_t>(c)]);
    }
    for (int64_t j = 0; j < shape.keys; ++j)
      for (int64_t c = 0; c < shape.channels; ++c) {
        d_k.at(j, c) = static_cast<T>(sum_k[static_cast<size_t>(j * shape.channels + c)]);
        d_v.at(j, c) = static_cast<T>(sum_v[static_cast<size_t>(j * shape.channels + c)]);
      }
  }
}

}  // namespace

template <class T>
const Version<T>& reference() {
  static const Version<T> version{forward<T>, backward<T>};
  return version;
}
template const Version<float>& reference<float>();
template const Version<double>& reference<double>();

}  // namespace assay::kernels::attention
