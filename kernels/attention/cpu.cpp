// Processes blocks of queries against the keys that they attend to. Keys beyond the last visible one of a block are
// never read, so causal attention takes half the time. The summation order does not depend on the instruction set.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <new>

#include "attention/attention.h"
#include "attention/multiply.h"
#include "dropout/draw.h"
#include "exp.h"
#include "vector.h"

#define ASSAY_INLINE [[gnu::always_inline]] inline

namespace assay::kernels::attention {
namespace {

constexpr int64_t kBlock = 32;  // queries
constexpr int64_t kLanes = 16;

int64_t padded(int64_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

// Matrices of one unit, consecutive in aligned memory.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t count)
      : memory_(static_cast<T*>(::operator new(static_cast<size_t>(count) * sizeof(T), kAlign))), next_(memory_) {}
  ~Scratch() { ::operator delete(memory_, kAlign); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* take(int64_t count) {
    T* taken = next_;
    next_ += count;
    return taken;
  }

 private:
  static constexpr std::align_val_t kAlign{64};
  T *memory_, *next_;
};

// [time, width] from rows with stride `stride`, zero after the channels.
template <class T>
ASSAY_INLINE void pack(const T* from, int64_t stride, int64_t time, int64_t channels, int64_t width, T* to) {
  for (int64_t t = 0; t < time; ++t, from += stride, to += width) {
    for (int64_t c = 0; c < channels; ++c) to[c] = from[c];
    for (int64_t c = channels; c < width; ++c) to[c] = 0;
  }
}

// [channels, width], zero after the last time step.
template <class T>
ASSAY_INLINE void pack_transposed(const T* from, int64_t stride, int64_t time, int64_t channels, int64_t width, T* to) {
  constexpr int64_t kTile = 16;
  for (int64_t begin = 0; begin < time; begin += kTile) {
    const int64_t end = begin + kTile < time ? begin + kTile : time;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t t = begin; t < end; ++t) to[c * width + t] = from[t * stride + c];
  }
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t t = time; t < width; ++t) to[c * width + t] = 0;
}

template <class T>
ASSAY_INLINE T folded(T* lanes, auto operation) {
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half; ++i) lanes[i] = operation(lanes[i], lanes[i + half]);
  return lanes[0];
}

// The terms added to the scores of query i of a unit, and its visible keys.
template <class T>
struct Rows {
  Rows(const Shape& shape, const Bias<T>& bias, int64_t row, int64_t head)
      : causal(shape.causal), ahead(shape.keys - shape.queries), keys(shape.keys) {
    const int64_t one = shape.queries * keys;
    if (bias.dense) dense = bias.dense + ((bias.shared_dense ? 0 : row) * shape.heads + head) * one;
    if (bias.d_dense) d_dense = bias.d_dense + (row * shape.heads + head) * one;
    if (bias.key_mask) key_mask = bias.key_mask + row * keys;
    if (!bias.slopes) return;
    slope = bias.slopes[head];
    const int64_t shared = bias.shared_positions ? 0 : row;
    query_positions = bias.query_positions + shared * shape.queries;
    key_positions = bias.key_positions + shared * shape.keys;
  }
  int64_t visible(int64_t i) const { return causal ? i + ahead + 1 : keys; }

  // scores[j] * scale - slope * distance + dense[j] for the visible keys of query i, minus infinity for padding.
  ASSAY_INLINE void finish(int64_t i, T scale, T* scores) const {
    const int64_t count = visible(i);
    scale_and_slope(i, count, scale, scores);
    if (dense)
      for (int64_t j = 0; j < count; ++j) scores[j] += dense[i * keys + j];
    if (!key_mask) return;
    const T own = scores[i + ahead];
    for (int64_t j = 0; j < count; ++j) scores[j] = key_mask[j] ? scores[j] : -std::numeric_limits<T>::infinity();
    scores[i + ahead] = own;
  }
  ASSAY_INLINE void scale_and_slope(int64_t i, int64_t count, T scale, T* scores) const {
    if (!key_positions) {
      for (int64_t j = 0; j < count; ++j) scores[j] *= scale;
    } else if (causal) {
      const T here = query_positions[i];
      for (int64_t j = 0; j < count; ++j) scores[j] = scores[j] * scale - slope * (here - key_positions[j]);
    } else {
      const T here = query_positions[i];
      for (int64_t j = 0; j < count; ++j) {
        const T distance = here - key_positions[j];
        scores[j] = scores[j] * scale - slope * (distance < 0 ? -distance : distance);
      }
    }
  }

  bool causal;
  int64_t ahead, keys;
  T slope = 0;
  const T *query_positions = nullptr, *key_positions = nullptr, *dense = nullptr;
  T* d_dense = nullptr;
  const bool* key_mask = nullptr;
};

// Replaces scores by exp(score - largest), and by zero up to `width`; returns largest and sum. A NaN score stays NaN,
// so the sum is NaN too.
template <class T>
ASSAY_INLINE void exponentials(T* scores, int64_t count, int64_t width, T& largest, T& sum) {
  T lanes[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) lanes[i] = -std::numeric_limits<T>::infinity();
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes)
    for (int64_t i = 0; i < kLanes; ++i) lanes[i] = larger(lanes[i], scores[j + i]);
  for (int64_t i = 0; j + i < count; ++i) lanes[i] = larger(lanes[i], scores[j + i]);
  largest = folded(lanes, larger<T>);
  for (j = count; j < width; ++j) scores[j] = -std::numeric_limits<T>::infinity();
  for (int64_t i = 0; i < kLanes; ++i) lanes[i] = 0;
  for (j = 0; j < width; j += kLanes)
    for (int64_t i = 0; i < kLanes; ++i) lanes[i] += scores[j + i] = exp_nonpositive(scores[j + i] - largest);
  sum = folded(lanes, [](T a, T b) { return a + b; });
}

// The dropout factors of the probabilities of one unit's queries.
template <class T>
struct Dropped {
  Dropped(const Shape& shape, const Mask& mask, int64_t row, int64_t head)
      : mask(mask), head(static_cast<uint32_t>(mask.head_begin + head)) {
    if (!mask.row_id) return;
    this->row = static_cast<uint32_t>(mask.row_id[row]);
    positions = mask.positions + row * shape.queries;
  }
  ASSAY_INLINE void factors(int64_t i, int64_t width, T* to) const {
    uint32_t words[dropout::kDrawn];
    const auto kept = static_cast<T>(mask.scale);
    for (int64_t c = 0; c < width; c += dropout::kDrawn) {
      dropout::draw(static_cast<uint32_t>(c / 4), static_cast<uint32_t>(positions[i]), head, row, mask.key, words);
      const int64_t count = std::min(dropout::kDrawn, width - c);
      for (int64_t w = 0; w < count; ++w) to[c + w] = words[w] < mask.threshold ? T{0} : kept;
    }
  }

  const Mask& mask;
  uint32_t head, row = 0;
  const int64_t* positions = nullptr;  // null: no dropout
};

template <class V, class T = typename V::T>
ASSAY_INLINE void forward(const Shape& shape, const Bias<T>& bias, const Mask& mask, int64_t first, int64_t last,
                          const T* q, const T* k, const T* v, T* out, T* log_sum) {
  const int64_t K = shape.channels, S = shape.keys, Kp = padded(K), Sp = padded(S);
  const T scale = T{1} / std::sqrt(static_cast<T>(K));
  Scratch<T> scratch(K * Sp + S * Kp + Sp + kBlock * (Sp + Kp));
  T *keys = scratch.take(K * Sp), *values = scratch.take(S * Kp), *factors = scratch.take(Sp),
    *scores = scratch.take(kBlock * Sp), *result = scratch.take(kBlock * Kp);
  for (int64_t unit = first; unit < last; ++unit) {
    const int64_t row = unit / shape.heads, head = unit % shape.heads;
    const auto place = [&](const Layout& layout) { return row * layout.row + head * layout.head; };
    const Rows<T> rows(shape, bias, row, head);
    const Dropped<T> dropped(shape, mask, row, head);
    pack_transposed(k + place(shape.key), shape.key.time, S, K, Sp, keys);
    pack(v + place(shape.value), shape.value.time, S, K, Kp, values);
    for (int64_t begin = 0; begin < shape.queries; begin += kBlock) {
      const int64_t count = std::min(kBlock, shape.queries - begin), seen = rows.visible(begin + count - 1),
                    width = padded(seen);
      multiply<V>(count, width, K, q + place(shape.query) + begin * shape.query.time, shape.query.time, 1, keys, Sp,
                  scores, Sp, false);
      T sums[kBlock];
      for (int64_t i = 0; i < count; ++i) {
        T largest;
        rows.finish(begin + i, scale, scores + i * Sp);
        exponentials(scores + i * Sp, rows.visible(begin + i), width, largest, sums[i]);
        log_sum[unit * shape.queries + begin + i] = largest + std::log(sums[i]);
        if (!dropped.positions) continue;
        dropped.factors(begin + i, width, factors);
        for (int64_t j = 0; j < width; ++j) scores[i * Sp + j] *= factors[j];
      }
      multiply<V>(count, Kp, seen, scores, Sp, 1, values, Kp, result, Kp, false);
      for (int64_t i = 0; i < count; ++i) {
        T* to = out + place(shape.out) + (begin + i) * shape.out.time;
        for (int64_t c = 0; c < K; ++c) to[c] = result[i * Kp + c] / sums[i];
      }
    }
  }
}

template <class V, class T = typename V::T>
ASSAY_INLINE void backward(const Shape& shape, const Bias<T>& bias, const Mask& mask, int64_t first, int64_t last,
                           const T* q, const T* k, const T* v, const T* out, const T* log_sum, const T* d_out, T* d_q,
                           T* d_k, T* d_v) {
  const int64_t K = shape.channels, S = shape.keys, Kp = padded(K), Sp = padded(S);
  const T scale = T{1} / std::sqrt(static_cast<T>(K));
  Scratch<T> scratch(2 * K * Sp + 3 * S * Kp + Sp + kBlock * (2 * Sp + 3 * Kp));
  T *keys = scratch.take(K * Sp), *values = scratch.take(K * Sp), *key_rows = scratch.take(S * Kp),
    *sum_k = scratch.take(S * Kp), *sum_v = scratch.take(S * Kp), *p = scratch.take(kBlock * Sp),
    *d_p = scratch.take(kBlock * Sp), *q_rows = scratch.take(kBlock * Kp), *d_rows = scratch.take(kBlock * Kp),
    *result = scratch.take(kBlock * Kp), *factors = scratch.take(Sp);
  std::fill_n(factors, Sp, T{1});
  for (int64_t unit = first; unit < last; ++unit) {
    const int64_t row = unit / shape.heads, head = unit % shape.heads;
    const auto place = [&](const Layout& layout) { return row * layout.row + head * layout.head; };
    const Rows<T> rows(shape, bias, row, head);
    const Dropped<T> dropped(shape, mask, row, head);
    pack_transposed(k + place(shape.key), shape.key.time, S, K, Sp, keys);
    pack_transposed(v + place(shape.value), shape.value.time, S, K, Sp, values);
    pack(k + place(shape.key), shape.key.time, S, K, Kp, key_rows);
    std::fill_n(sum_k, S * Kp, T{0});
    std::fill_n(sum_v, S * Kp, T{0});
    for (int64_t begin = 0; begin < shape.queries; begin += kBlock) {
      const int64_t count = std::min(kBlock, shape.queries - begin), seen = rows.visible(begin + count - 1),
                    width = padded(seen);
      const T *q_block = q + place(shape.query) + begin * shape.query.time,
              *d_block = d_out + place(shape.out) + begin * shape.out.time,
              *out_block = out + place(shape.out) + begin * shape.out.time;
      pack(q_block, shape.query.time, count, K, Kp, q_rows);
      pack(d_block, shape.out.time, count, K, Kp, d_rows);
      multiply<V>(count, width, K, q_rows, Kp, 1, keys, Sp, p, Sp, false);
      multiply<V>(count, width, K, d_rows, Kp, 1, values, Sp, d_p, Sp, false);
      for (int64_t i = 0; i < count; ++i) {
        T *p_row = p + i * Sp, *d_row = d_p + i * Sp;
        T lanes[kLanes] = {};
        int64_t c = 0;
        for (; c + kLanes <= K; c += kLanes)
          for (int64_t l = 0; l < kLanes; ++l)
            lanes[l] += d_rows[i * Kp + c + l] * out_block[i * shape.out.time + c + l];
        for (int64_t l = 0; c + l < K; ++l) lanes[l] += d_rows[i * Kp + c + l] * out_block[i * shape.out.time + c + l];
        const T inner = folded(lanes, [](T a, T b) { return a + b; });
        const T log_of_sum = log_sum[unit * shape.queries + begin + i];
        rows.finish(begin + i, scale, p_row);
        for (int64_t j = rows.visible(begin + i); j < width; ++j) p_row[j] = -std::numeric_limits<T>::infinity();
        if (dropped.positions) dropped.factors(begin + i, width, factors);
        for (int64_t j = 0; j < width; ++j) {
          const T probability = exp_nonpositive(p_row[j] - log_of_sum);
          d_row[j] = probability * (factors[j] * d_row[j] - inner);
          p_row[j] = factors[j] * probability;
        }
        if (rows.d_dense) {
          T* to = rows.d_dense + (begin + i) * S;
          for (int64_t j = 0; j < S; ++j) to[j] = j < width ? d_row[j] : T{0};  // 0: masked keys
        }
        for (int64_t j = 0; j < width; ++j) d_row[j] *= scale;
      }
      multiply<V>(seen, Kp, count, p, 1, Sp, d_rows, Kp, sum_v, Kp, true);
      multiply<V>(seen, Kp, count, d_p, 1, Sp, q_rows, Kp, sum_k, Kp, true);
      multiply<V>(count, Kp, seen, d_p, Sp, 1, key_rows, Kp, result, Kp, false);
      T* to = d_q + place(shape.d_query) + begin * shape.d_query.time;
      for (int64_t i = 0; i < count; ++i)
        for (int64_t c = 0; c < K; ++c) to[i * shape.d_query.time + c] = result[i * Kp + c];
    }
    T *to_k = d_k + place(shape.d_key), *to_v = d_v + place(shape.d_value);
    for (int64_t j = 0; j < S; ++j)
      for (int64_t c = 0; c < K; ++c) {
        to_k[j * shape.d_key.time + c] = sum_k[j * Kp + c];
        to_v[j * shape.d_value.time + c] = sum_v[j * Kp + c];
      }
  }
}

// One pair of functions per instruction set, with the bytes of its vectors and the rows of a tile that fit into its
// registers.
#define ASSAY_VERSION(name, attribute, bytes, rows)                                                             \
  template <class T>                                                                                            \
  struct name {                                                                                                 \
    using V = Vectors<T, bytes, rows>;                                                                          \
    attribute static void forward_of(const Shape& shape, const Bias<T>& bias, const Mask& mask, int64_t first,  \
                                     int64_t last, const T* q, const T* k, const T* v, T* out, T* log_sum) {    \
      forward<V>(shape, bias, mask, first, last, q, k, v, out, log_sum);                                        \
    }                                                                                                           \
    attribute static void backward_of(const Shape& shape, const Bias<T>& bias, const Mask& mask, int64_t first, \
                                      int64_t last, const T* q, const T* k, const T* v, const T* out,           \
                                      const T* log_sum, const T* d_out, T* d_q, T* d_k, T* d_v) {               \
      backward<V>(shape, bias, mask, first, last, q, k, v, out, log_sum, d_out, d_q, d_k, d_v);                 \
    }                                                                                                           \
    static constexpr Version<T> kVersion{forward_of, backward_of};                                              \
  };
#if defined(__x86_64__)
ASSAY_VERSION(Avx512, [[gnu::target("arch=x86-64-v4")]], 64, 8)
ASSAY_VERSION(Avx2, [[gnu::target("arch=x86-64-v3")]], 32, 4)
#endif
ASSAY_VERSION(Baseline, , 16, 4)

}  // namespace

template <class T>
std::vector<Named<T>> cpu_versions() {
  std::vector<Named<T>> all;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("x86-64-v4")) all.push_back({"avx512", Avx512<T>::kVersion});
  if (__builtin_cpu_supports("x86-64-v3")) all.push_back({"avx2", Avx2<T>::kVersion});
#endif
  all.push_back({"baseline", Baseline<T>::kVersion});
  return all;
}
template std::vector<Named<float>> cpu_versions();
template std::vector<Named<double>> cpu_versions();

template <class T>
const Version<T>& cpu() {
  static const auto& version = cpu_versions<T>().front().version;
  return version;
}
template const Version<float>& cpu<float>();
template const Version<double>& cpu<double>();

}  // namespace assay::kernels::attention
