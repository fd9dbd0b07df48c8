// SimCTG's contrastive term: hidden states of different tokens of a sequence are to be less alike than a margin allows.
// Su et al. 2022, "A Contrastive Framework for Neural Text Generation", arXiv:2202.06417, sec. 3.1; the token mask is
// right for padding anywhere, where the reference counts tokens.
//   s(i, j) = cosine of h_i and h_j, h after the final norm;   cost(i, j) = max(0, margin - s(i, i) + s(i, j)), i != j
// Every ordered pair counts, past and future. At margin 0 it is 0, and at any margin up to 1 within [0, margin].
// `reduction`, over B rows of n_b tokens that count:
//   per_pair       sum of costs / number of pairs, over the whole batch: as the reference's training code
//   per_sequence   mean over the rows of each row's mean: as the paper's formula
//   with_diagonal  sum over all n_b^2, the n_b of cost(i, i) = margin too: as the reference's pretraining script
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
    schema.doc("SimCTG's contrastive term: states of different tokens are pushed apart until a margin is kept.")
        .paper("arXiv:2202.06417")
        .param("margin", &Config::margin, "How much less alike than itself a state must be to every other.", 0, 2)
        .param("reduction", &Config::reduction, "What the costs of pairs are divided by.",
               {"per_pair", "per_sequence", "with_diagonal"})
        .param("prefix_len", &Config::prefix_len, "Pairs with both ends in so many first tokens do not count.", 0)
        .param("positions", &Config::positions,
               "So many tokens of a row, drawn anew each step, stand for all; 0: all. Memory is their square.", 0);
  }
  explicit SimCtg(const Config& config) : config_(config) {}

  void prepare(assay::PrepareContext& context) override {
    auto& batch = context.batch();
    if (config_.positions > 0 && config_.positions < batch.length())
      batch.channels[channel()] = drawn(batch, context.draws());
    const auto pairs_BTT = pairs_of(batch, places_of(batch));
    const auto of_row = pairs_BTT.sum({1, 2});
    const double amount =
        config_.reduction == "per_sequence" ? of_row.gt(0).sum().item<double>() : of_row.sum().item<double>();
    context.denominator(config_.reduction == "per_sequence" ? "sequences" : "pairs", amount);
  }

  void loss(assay::LossContext& context) override {
    const auto& batch = context.batch();
    const auto places_BP = places_of(batch);
    const auto pairs_BPP = pairs_of(batch, places_BP);
    auto h_BPD = context.forward().hidden();
    if (h_BPD.scalar_type() != at::kDouble) h_BPD = h_BPD.to(at::kFloat);
    if (places_BP.defined()) h_BPD = h_BPD.gather(1, places_BP.unsqueeze(2).expand({-1, -1, h_BPD.size(2)}));
    const auto unit_BPD = h_BPD / at::linalg_vector_norm(h_BPD, 2, 2, /*keepdim=*/true).clamp_min(kSmallestNorm);
    const auto cosine_BPP = at::bmm(unit_BPD, unit_BPD.transpose(1, 2));
    const auto own_BP1 = cosine_BPP.diagonal(0, 1, 2).unsqueeze(2);
    const auto cost_BPP =
        at::where(pairs_BPP, (config_.margin - own_BP1 + cosine_BPP).clamp_min(0), at::zeros({}, h_BPD.options()));
    if (config_.reduction != "per_sequence") return context.term("cl", cost_BPP.sum(), "pairs");
    const auto count_B = pairs_BPP.sum({1, 2}).clamp_min(1);
    context.term("cl", (cost_BPP.sum({1, 2}) / count_B).sum(), "sequences");
  }

 private:
  static constexpr double kSmallestNorm = 1e-8;  // a state of zeros is like nothing, itself included

  std::string channel() const { return identity().instance + ".positions"; }

  // The places that stand for all, [B, P] int64, ascending; undefined: all do.
  Tensor places_of(const Batch& batch) const {
    const auto found = batch.channels.find(channel());
    return found == batch.channels.end() ? Tensor() : found->second;
  }

  // [B, P, P] bool: the ordered pairs that count.
  Tensor pairs_of(const Batch& batch, const Tensor& places_BP) const {
    const auto options = batch.tokens.options();
    auto counts_BP =
        batch.key_mask.defined() ? batch.key_mask : at::ones(batch.tokens.sizes(), options.dtype(at::kBool));
    auto place_BP = at::arange(batch.length(), options).unsqueeze(0);
    if (places_BP.defined()) {
      counts_BP = counts_BP.gather(1, places_BP);
      place_BP = places_BP;
    }
    auto pairs_BPP = counts_BP.unsqueeze(2).logical_and(counts_BP.unsqueeze(1));
    if (config_.prefix_len > 0) {
      const auto inside = place_BP.lt(config_.prefix_len);
      pairs_BPP = pairs_BPP.logical_and(inside.unsqueeze(2).logical_and(inside.unsqueeze(1)).logical_not());
    }
    if (config_.reduction != "with_diagonal")
      pairs_BPP = pairs_BPP.logical_and(place_BP.unsqueeze(2).ne(place_BP.unsqueeze(1)));
    return pairs_BPP;
  }

  // Of every row the tokens with the smallest draws, those that count first; keyed by the row of the global batch.
  Tensor drawn(const Batch& batch, const assay::Draws& draws) const {
    const int64_t rows = batch.rows(), length = batch.length(), count = config_.positions;
    auto chosen = at::full({rows, count}, 0, at::kLong);
    for (int64_t row = 0; row < rows; ++row) {
      const auto own =
          draws.substream(static_cast<uint64_t>(batch.row_id.defined() ? batch.row_id[row].item<int64_t>() : row));
      std::vector<std::pair<double, int64_t>> order;
      for (int64_t t = 0; t < length; ++t) {
        const bool counts = !batch.key_mask.defined() || batch.key_mask[row][t].item<bool>();
        order.emplace_back((counts ? 0.0 : 1.0) + own.uniform(static_cast<uint64_t>(t)), t);
      }
      std::sort(order.begin(), order.end());
      std::vector<int64_t> places;
      for (int64_t i = 0; i < count; ++i) places.push_back(order[static_cast<size_t>(i)].second);
      std::sort(places.begin(), places.end());
      std::copy(places.begin(), places.end(), chosen[row].data_ptr<int64_t>());
    }
    return chosen;
  }

  Config config_;
};

}  // namespace

ASSAY_PLUGIN("simctg", "1.0.0", assay::component<SimCtg>("simctg"))
