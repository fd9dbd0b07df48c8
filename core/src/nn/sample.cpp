// Draws from a softmax whose vocabulary is split over the tensor ranks.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "assay/nn.h"

namespace assay::nn {
namespace {

// -ln(-ln u) of the u of a random word, and a bound on the words whose value exceeds a given one: no word below
// above(value) does.
double gumbel(uint32_t word) { return -std::log(-std::log((static_cast<double>(word) + 0.5) * 0x1p-32)); }

class Thresholds {
 public:
  Thresholds() {
    for (size_t i = 0; i < kSteps; ++i)
      words_[i] = static_cast<uint32_t>(
          std::max(0.0, std::exp(-std::exp(-static_cast<double>(i) / kPerUnit)) * 0x1p32 - 4));  // 4 covers rounding
  }
  uint32_t above(double value) const {
    if (!(value > 0)) return 0;
    return words_[static_cast<size_t>(std::min(value * kPerUnit, kSteps - 1.0))];
  }

 private:
  static constexpr double kPerUnit = 4;
  static constexpr size_t kSteps = 80;
  std::array<uint32_t, kSteps> words_;
};
const Thresholds kThresholds;

struct Best {
  double value = -std::numeric_limits<double>::infinity();
  int64_t id = 0;
};

// The best of the columns that are not padding; the first column has id `begin`.
Best best_of(const double* logits, int64_t real, int64_t begin, const Draws* draws) {
  Best best;
  PhiloxBlock block{};
  for (int64_t c = 0; c < real; ++c) {
    double value = logits[c];
    if (draws) {
      const auto id = static_cast<uint64_t>(begin + c);
      if (c == 0 || id % 4 == 0) block = draws->block(id / 4);  // one word for each of four ids
      // Most words are too small to win, which can be decided without a logarithm.
      if (c > 0 && block[id % 4] < kThresholds.above(best.value - value)) continue;
      value += gumbel(block[id % 4]);
    }
    if (value > best.value || c == 0) best = {value, begin + c};
  }
  return best;
}

}  // namespace

Tensor sample(const Tensor& logits, const std::vector<Draws>& draws, int64_t vocabulary, int64_t padded,
              const Mesh& mesh) {
  auto& axis = mesh.tensor();
  if (logits.dim() != 2 || logits.size(1) * axis.size() != padded)
    throw UserError("sample got logits of sizes " + c10::str(logits.sizes()) + "; every row must have " +
                    std::to_string(padded / axis.size()) + " logits, this rank's slice of " + std::to_string(padded));
  const int64_t N = logits.size(0), width = logits.size(1), begin = width * axis.rank(),
                real = std::clamp<int64_t>(vocabulary - begin, 0, width);
  if (!draws.empty() && static_cast<int64_t>(draws.size()) != N)
    throw UserError("sample got " + std::to_string(draws.size()) + " draws for " + std::to_string(N) +
                    " rows; their numbers must be equal");
  const auto rows = logits.detach().to(at::kCPU, at::kDouble).contiguous();
  const auto value_N = at::empty({N}, rows.options()), id_N = at::empty({N}, rows.options().dtype(at::kLong));
  auto* value = value_N.data_ptr<double>();
  auto* id = id_N.data_ptr<int64_t>();
  at::parallel_for(0, N, 1, [&](int64_t first, int64_t last) {
    for (int64_t n = first; n < last; ++n) {
      const auto best = best_of(rows.const_data_ptr<double>() + n * width, real, begin,
                                draws.empty() ? nullptr : &draws[static_cast<size_t>(n)]);
      value[n] = best.value;
      id[n] = best.id;
    }
  });
  if (axis.size() > 1) {
    const auto all_N = value_N.clone();
    all_reduce_max(all_N, axis);
    // The smallest id among the ranks that have the largest value.
    for (int64_t n = 0; n < N; ++n)
      id[n] = value[n] == all_N.const_data_ptr<double>()[n] && real > 0 ? -id[n] : -(vocabulary - 1);  // also NaN
    all_reduce_max(id_N, axis);
    for (int64_t n = 0; n < N; ++n) id[n] = -id[n];
  }
  return id_N.to(logits.device());
}

}  // namespace assay::nn
