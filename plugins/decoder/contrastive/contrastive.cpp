// Contrastive search. Su et al. 2022, "A Contrastive Framework for Neural Text Generation", arXiv:2202.06417, sec. 3.2:
//   x_t = argmax over the k most likely v of (1 - alpha) p(v | x_<t) - alpha max_j cos(h_v, h_j),   j < t
// with p the softmax over the whole vocabulary, h final hidden states, h_v that of v after x_<t, and j over the
// prompt too. The "diverse" variant samples the first tokens from a nucleus (arXiv:2210.14140, reference code).
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "../banned.h"
#include "../draw_token.h"
#include "assay/decoder.h"
#include "assay/plugin.h"

namespace {

using assay::Tensor;

class Contrastive final : public assay::Decoder {
 public:
  struct Config {
    int64_t k = 5;
    double alpha = 0.6;
    int64_t sample_steps = 0;
    double top_p = 0.95;
    bool low_memory = false;
    int64_t no_repeat_ngram = 0, min_tokens = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "Contrastive search: of the k most likely tokens, takes the one with the largest (1 - alpha) * "
            "probability - alpha * the highest cosine of its hidden state with an earlier one. Of equal "
            "scores the more likely token wins, then the lower id.")
        .paper("arXiv:2202.06417")
        .param("k", &Config::k, "Number of candidates, at most the vocabulary; 1 is greedy search.", 1)
        .param("alpha", &Config::alpha, "Weight of the cosine; 0 is greedy search.", 0, 1)
        .param("sample_steps", &Config::sample_steps,
               "The diverse variant: this many first tokens are sampled from the nucleus instead.", 0)
        .param("top_p", &Config::top_p, "Probability mass of the nucleus of these first tokens.", 0, 1)
        .param("low_memory", &Config::low_memory,
               "Whether candidates run one after the other instead of in one batch, which is slower.");
    assay::decoding::describe_bans<Config>(schema);
  }
  explicit Contrastive(const Config& config) : config_(config) {}

  int64_t lookahead() const override { return config_.k > 1 && config_.alpha > 0 ? 1 : 0; }

  assay::Choice next(assay::DecodeContext& context) override {
    const auto logits_BV =
        assay::decoding::allowed(context, context.logits(), config_.no_repeat_ngram, config_.min_tokens);
    const int64_t B = logits_BV.size(0), k = std::min(config_.k, logits_BV.size(1));
    if (context.step() < config_.sample_steps)
      return {assay::decoding::draw_tokens(context, logits_BV, {.top_p = config_.top_p}), {}};
    if (lookahead() == 0) return {logits_BV.argmax(-1), {}};
    const auto candidates_BK = candidates(logits_BV, k);
    const auto p_BV = at::softmax(logits_BV, -1).to(at::kCPU, at::kDouble).contiguous();
    const auto here_BV = logits_BV.to(at::kCPU, at::kDouble).contiguous();
    const auto penalty_BK = penalty(context, candidates_BK);
    const auto* ids = candidates_BK.const_data_ptr<int64_t>();
    auto tokens = at::empty({B}, at::kLong);
    for (int64_t row = 0; row < B; ++row) {
      double best = -std::numeric_limits<double>::infinity();
      for (int64_t i = row * k; i < (row + 1) * k; ++i) {
        const auto entry = row * p_BV.size(1) + ids[i];
        if (here_BV.const_data_ptr<double>()[entry] == assay::decoding::kBanned) break;  // as are those after it
        const double p = p_BV.const_data_ptr<double>()[entry];
        const double score = (1 - config_.alpha) * p - config_.alpha * penalty_BK[static_cast<size_t>(i)];
        if (i > row * k && !(score > best)) continue;  // of equal scores the first
        best = score;
        tokens.data_ptr<int64_t>()[row] = ids[i];
      }
    }
    return {tokens, {}};
  }

 private:
  // [B, k] on the CPU, most likely first, and the lower id first of equally likely ones.
  static Tensor candidates(const Tensor& logits_BV, int64_t k) {
    const auto here = logits_BV.to(at::kCPU, at::kDouble).contiguous();
    const int64_t B = here.size(0), V = here.size(1);
    auto chosen = at::empty({B, k}, at::kLong);
    for (int64_t row = 0; row < B; ++row) {
      const auto ids = assay::decoding::most_likely(here.const_data_ptr<double>() + row * V, V, k);
      std::copy(ids.begin(), ids.end(), chosen.data_ptr<int64_t>() + row * k);
    }
    return chosen;
  }

  // The highest cosine of each candidate's state with an earlier state, [B, K]; 0 for a state of norm 0.
  std::vector<double> penalty(assay::DecodeContext& context, const Tensor& candidates_BK) const {
    const auto states_BKD = tried(context, candidates_BK), past_BSD = context.hidden();
    const auto here = [](const Tensor& x) { return x.to(at::kCPU, at::kDouble).contiguous(); };
    const auto products_BKS = here(at::bmm(states_BKD, past_BSD.transpose(1, 2)));
    const auto length_BK = here(at::linalg_vector_norm(states_BKD, 2, 2)),
               length_BS = here(at::linalg_vector_norm(past_BSD, 2, 2));
    const auto mask_BS = context.mask().to(at::kCPU).contiguous();
    const int64_t K = products_BKS.size(1), S = products_BKS.size(2);
    std::vector<double> highest(static_cast<size_t>(length_BK.numel()), -1);
    for (int64_t i = 0; i < length_BK.numel(); ++i) {
      const auto* products = products_BKS.const_data_ptr<double>() + i * S;
      const auto* past = length_BS.const_data_ptr<double>() + i / K * S;
      const auto* real = mask_BS.const_data_ptr<bool>() + i / K * S;
      const double own = length_BK.const_data_ptr<double>()[i];
      for (int64_t t = 0; t < S; ++t) {
        if (!real[t]) continue;
        const double lengths = own * past[t], cosine = lengths > 0 ? products[t] / lengths : 0;
        highest[static_cast<size_t>(i)] = std::max(highest[static_cast<size_t>(i)], cosine);
      }
    }
    return highest;
  }
  Tensor tried(assay::DecodeContext& context, const Tensor& candidates_BK) const {
    if (!config_.low_memory) return context.try_tokens(candidates_BK);
    std::vector<Tensor> states;
    for (int64_t i = 0; i < candidates_BK.size(1); ++i)
      states.push_back(context.try_tokens(candidates_BK.narrow(1, i, 1)));
    return at::cat(states, 1);
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("contrastive", "1.1.0", assay::component<Contrastive>("contrastive"))
