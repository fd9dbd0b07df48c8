// SimCTG's contrastive term: the cosine of hidden states of different tokens of a sequence must stay below a margin.
// Su et al. 2022, "A Contrastive Framework for Neural Text Generation", arXiv:2202.06417, sec. 3.1; the token mask
// handles padding at any place, where the reference counts tokens.
//   s(i, j) = cosine of h_i and h_j, h after the final norm;   cost(i, j) = max(0, margin - s(i, i) + s(i, j)), i != j
// Every ordered pair counts, past and future. At margin 0 the cost is 0, at margins up to 1 it is within [0, margin].
// `reduction`, over B rows of n_b tokens without padding:
//   per_pair       sum of costs / number of pairs, over the whole batch, as the reference's training code
//   per_sequence   mean over the rows of each row's mean, as the paper's formula
//   with_diagonal  sum over all n_b^2, with the n_b of cost(i, i) = margin, as the reference's pretraining script
#include <ATen/ops/arange.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <string>
#include <vector>

#include "assay/objective.h"
#include "assay/plugin.h"

namespace {

using assay::Batch;
using assay::Tensor;

class SimCtg final : public assay::Objective {
 public:
  struct Config {
    double margin = 0.5;
    std::string reduction = "per_pair";
    int64_t prefix_len = 0, positions = 0;
  };
  static void describe(auto& schema) {
    schema
        .doc(
            "SimCTG's contrastive term: pushes the hidden states of different tokens apart, up to a margin in "
            "cosine.")
        .paper("arXiv:2202.06417")
        .param("margin", &Config::margin,
               "By how much a state's cosine with every other state must be below that with itself.", 0, 2)
        .param("reduction", &Config::reduction, "How the costs of pairs are averaged.",
               {"per_pair", "per_sequence", "with_diagonal"})
        .param("prefix_len", &Config::prefix_len,
               "Pairs of tokens that are both among the first prefix_len of their sequence, padding not counted, "
               "are left out.",
               0)
        .param("positions", &Config::positions,
               "Number of tokens per sequence, sampled anew every step, whose pairs are used; 0: all. Memory "
               "grows with its square.",
               0);
  }
  explicit SimCtg(const Config& config) : config_(config) {}

  std::vector<std::string> validate(const assay::Assembly& assembly) const override {
    std::vector<std::string> findings;
    if (assembly.model->has_encoder())
      findings.push_back(
          "the model has an encoder, and its hidden states of the source are zeros; use a model without an encoder");
    if (config_.positions == 1)
      findings.push_back("positions = 1 leaves no pair of tokens; give 2 or more, or 0 for all");
    if (assembly.context == 1 && config_.reduction != "with_diagonal")
      findings.push_back("a context of 1 has no pair of tokens; give data.context 2 or more");
    else if (config_.prefix_len >= assembly.context)
      findings.push_back("a prefix_len of " + std::to_string(config_.prefix_len) + " leaves no pair in a context of " +
                         std::to_string(assembly.context) + "; give less");
    return findings;
  }

  void prepare(assay::PrepareContext& context) override {
    auto& batch = context.batch();
    if (config_.positions > 0 && config_.positions < batch.length())
      batch.channels[channel()] = drawn(batch, context.draws());
    const auto pairs_B = pair_counts(marked(batch));
    const bool by_row = config_.reduction == "per_sequence";
    context.denominator(by_row ? "sequences" : "pairs", (by_row ? pairs_B.gt(0) : pairs_B).sum().item<double>());
  }

  void loss(assay::LossContext& context) override {
    const auto& batch = context.batch();
    const auto marks = marked(batch);
    auto h_BPD = context.forward().hidden();
    if (h_BPD.scalar_type() != at::kDouble) h_BPD = h_BPD.to(at::kFloat);
    if (const auto places_BP = places_of(batch); places_BP.defined())
      h_BPD = h_BPD.gather(1, places_BP.unsqueeze(2).expand({-1, -1, h_BPD.size(2)}));
    const auto length_BP1 = at::linalg_vector_norm(h_BPD, 2, 2, /*keepdim=*/true);
    const auto zero = at::zeros({}, h_BPD.options());
    // A state of zeros has cosine 0 with all states, itself included, and no gradient.
    const auto unit_BPD = at::where(length_BP1.gt(kSmallestNorm), h_BPD / length_BP1.clamp_min(kSmallestNorm), zero);
    const auto cosine_BPP = at::bmm(unit_BPD, unit_BPD.transpose(1, 2));
    const auto own_BP1 = cosine_BPP.diagonal(0, 1, 2).unsqueeze(2);
    const auto cost_BPP = at::where(pairs_of(marks), (config_.margin - own_BP1 + cosine_BPP).clamp_min(0), zero);
    if (config_.reduction != "per_sequence") return context.term("cl", cost_BPP.sum(), "pairs");
    context.term("cl", (cost_BPP.sum({1, 2}) / pair_counts(marks).clamp_min(1)).sum(), "sequences");
  }

 private:
  static constexpr double kSmallestNorm = 1e-8;

  // Marks of the P tokens of a row that are used, [B, P] bool.
  struct Marks {
    Tensor counts, prefix;  // is not padding; is among the first prefix_len such tokens of its row
  };

  std::string channel() const { return identity().instance + ".positions"; }

  // Positions of the sampled tokens, [B, P] int64, ascending; undefined: all tokens are used.
  Tensor places_of(const Batch& batch) const {
    const auto found = batch.channels.find(channel());
    return found == batch.channels.end() ? Tensor() : found->second;
  }

  Marks marked(const Batch& batch) const {
    Marks marks;
    marks.counts = batch.key_mask.defined() ? batch.key_mask
                                            : at::ones(batch.tokens.sizes(), batch.tokens.options().dtype(at::kBool));
    marks.prefix = marks.counts.logical_and(marks.counts.cumsum(1).le(config_.prefix_len));
    if (const auto places_BP = places_of(batch); places_BP.defined()) {
      marks.counts = marks.counts.gather(1, places_BP);
      marks.prefix = marks.prefix.gather(1, places_BP);
    }
    return marks;
  }

  // Number of a row's ordered pairs that count, [B] int64.
  Tensor pair_counts(const Marks& marks) const {
    const auto n_B = marks.counts.sum(1), p_B = marks.prefix.sum(1);
    if (config_.reduction == "with_diagonal") return n_B * n_B - p_B * p_B;
    return n_B * (n_B - 1) - p_B * (p_B - 1);
  }

  // Which pairs count, [B, P, P] bool.
  Tensor pairs_of(const Marks& marks) const {
    const auto both = [](const Tensor& x_BP) { return x_BP.unsqueeze(2).logical_and(x_BP.unsqueeze(1)); };
    auto pairs_BPP = both(marks.counts);
    if (config_.prefix_len > 0) pairs_BPP = pairs_BPP.logical_and(both(marks.prefix).logical_not());
    if (config_.reduction == "with_diagonal") return pairs_BPP;
    const auto place_P = at::arange(pairs_BPP.size(1), pairs_BPP.options().dtype(at::kLong));
    return pairs_BPP.logical_and(place_P.unsqueeze(1).ne(place_P));
  }

  // The `positions` tokens of every row with the smallest draws, padding last; draws are keyed by the row of the global
  // batch.
  Tensor drawn(const Batch& batch, const assay::Draws& draws) const {
    const int64_t rows = batch.rows(), length = batch.length(), count = config_.positions;
    const auto key_mask = batch.key_mask.defined() ? batch.key_mask.contiguous() : Tensor();
    const auto row_id = batch.row_id.defined() ? batch.row_id.contiguous() : Tensor();
    auto chosen = at::full({rows, count}, 0, at::kLong);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t id = row_id.defined() ? row_id.const_data_ptr<int64_t>()[row] : row;
      const auto own = draws.substream(static_cast<uint64_t>(id));
      std::vector<std::pair<double, int64_t>> order;
      for (int64_t t = 0; t < length; ++t) {
        const bool counts = !key_mask.defined() || key_mask.const_data_ptr<bool>()[row * length + t];
        order.emplace_back((counts ? 0.0 : 1.0) + own.uniform(static_cast<uint64_t>(t)), t);
      }
      std::partial_sort(order.begin(), order.begin() + count, order.end());
      auto* places = chosen.data_ptr<int64_t>() + row * count;
      for (int64_t i = 0; i < count; ++i) places[i] = order[static_cast<size_t>(i)].second;
      std::sort(places, places + count);
    }
    return chosen;
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("simctg", "1.1.0", assay::component<SimCtg>("simctg"))
