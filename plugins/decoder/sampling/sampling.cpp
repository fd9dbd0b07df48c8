// Sampling with temperature, top-k (Fan, Lewis, Dauphin 2018, arXiv:1805.04833, sec. 5.4) and top-p (Holtzman et al.
// 2020, arXiv:1904.09751, sec. 3.1), in that order: the nucleus is taken of what top-k left, renormalised.
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "assay/decoder.h"
#include "assay/plugin.h"

namespace {

class Sampling final : public assay::Decoder {
 public:
  struct Config {
    double temperature = 1.0;
    int64_t top_k = 0;
    double top_p = 1.0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Draws the next token: logits over the temperature, then the top_k most likely, of these the fewest whose "
            "share reaches top_p. Among equals the lower id counts as the more likely.")
        .paper("arXiv:1904.09751")
        .param("temperature", &Config::temperature,
               "What logits are divided by; for 0, which has no draws, use greedy.", 0.01, 100)
        .param("top_k", &Config::top_k, "How many tokens stay; 0: all.", 0)
        .param("top_p", &Config::top_p, "Share of the probability that stays; 1: all.", 0, 1);
  }
  explicit Sampling(const Config& config) : config_(config) {}

  assay::Choice next(assay::DecodeContext& context) override {
    const auto logits_BV = context.logits().to(at::kCPU, at::kDouble).contiguous();
    const int64_t B = logits_BV.size(0), V = logits_BV.size(1);
    auto tokens = at::empty({B}, at::kLong);
    for (int64_t row = 0; row < B; ++row) {
      const auto draw =
          context.draws().substream(static_cast<uint64_t>(row)).uniform(static_cast<uint64_t>(context.step()));
      tokens.data_ptr<int64_t>()[row] = choose(logits_BV.const_data_ptr<double>() + row * V, V, draw);
    }
    return {tokens, {}};
  }

 private:
  // By inversion of the cumulative distribution, most likely first; `draw` in [0, 1).
  int64_t choose(const double* logits, int64_t V, double draw) const {
    double highest = -std::numeric_limits<double>::infinity();
    for (int64_t id = 0; id < V; ++id) {
      if (std::isnan(logits[id])) throw assay::UserError("a logit is no number; are the model's weights whole?");
      highest = std::max(highest, logits[id]);
    }
    if (std::isinf(highest)) throw assay::UserError("the highest logit is infinite; are the model's weights whole?");
    std::vector<int64_t> ids(static_cast<size_t>(V));
    std::iota(ids.begin(), ids.end(), 0);
    const auto kept = config_.top_k > 0 ? std::min(config_.top_k, V) : V;
    std::partial_sort(ids.begin(), ids.begin() + kept, ids.end(), [&](int64_t one, int64_t other) {
      return logits[one] != logits[other] ? logits[one] > logits[other] : one < other;
    });
    std::vector<double> cumulative(static_cast<size_t>(kept));
    double sum = 0;
    for (size_t i = 0; i < cumulative.size(); ++i)
      cumulative[i] = sum += std::exp((logits[ids[i]] - highest) / config_.temperature);
    const auto last = std::lower_bound(cumulative.begin(), cumulative.end() - 1, config_.top_p * sum);
    const auto chosen = std::upper_bound(cumulative.begin(), last, draw * *last);
    return ids[static_cast<size_t>(chosen - cumulative.begin())];
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("sampling", "1.0.0", assay::component<Sampling>("sampling"))
