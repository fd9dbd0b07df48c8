#include "run/likelihoods.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>

#include "assay/nn.h"
#include "base/text.h"
#include "run/forward.h"
#include "run/shared_reads.h"

namespace assay::run {
namespace {

constexpr int64_t kTokensAtOnce = 4096;  // not a setting: the last bits of a result depend on the shape of a batch

void check_length(const Assembled& run, const std::vector<int32_t>& prefix, const std::vector<Scored>& rows) {
  const auto& model = *run.model;
  if (!model.causal() || model.has_encoder())
    throw UserError("the likelihood of tokens after a prefix needs a causal model without an encoder");
  const auto limit = guard(model, "limit", [&] { return model.limit(); });
  const auto after = static_cast<int64_t>(prefix.size()) + 1;
  for (const auto& row : rows) {
    const auto size = static_cast<int64_t>(row.tokens.size());
    if (row.from < 0 || row.from > size || (!row.positions.empty() && row.positions.size() != row.tokens.size()))
      throw UserError("a row of " + base::plural(size, "token") + " is scored from token " + std::to_string(row.from) +
                      " and has " + base::plural(static_cast<int64_t>(row.positions.size()), "position") +
                      "; the first must be a token, and there must be as many positions as tokens, or none");
    const auto end = row.positions.empty() ? after + size - 1 : row.positions[row.positions.size() - 1];
    if (limit && size > 0 && end > *limit)  // the last token is not read
      throw UserError("an end of text, a prefix of " + base::plural(after - 1, "token") + " and a row of " +
                      base::plural(size, "token") + " exceed the model's limit of " + std::to_string(*limit) +
                      " positions; shorten one of them");
  }
}

// Tokens to read once: those of rows up to `end`, which the rows at these places of the order have in common.
struct Read {
  int64_t parent;  // row of the cache after which they are read
  int64_t end;
  std::vector<size_t> places;
};

class Likelihoods {
 public:
  Likelihoods(Assembled& run, const std::function<void(bool)>& before_forward, const Mesh& mesh,
              const std::vector<Scored>& rows)
      : run_(run), before_forward_(before_forward), mesh_(mesh), rows_(rows), shared_(shared_reads(rows)) {
    for (const auto& row : rows) has_positions_ = has_positions_ || !row.positions.empty();
  }

  std::vector<std::vector<double>> after(const std::vector<int32_t>& prefix) {
    Cache cache;
    std::vector<int64_t> first{run_.vocabulary->special(kEndOfText)};
    first.insert(first.end(), prefix.begin(), prefix.end());
    const auto state_1TD = read(cache, at::tensor(first, at::kLong).unsqueeze(0));
    start_ = cache.length();
    log_p_.resize(rows_.size());
    Read all{0, 0, {}};
    for (size_t place = 0; place < rows_.size(); ++place) all.places.push_back(place);
    descend(cache, state_1TD.select(1, state_1TD.size(1) - 1), {all}, 0);
    return std::move(log_p_);
  }

 private:
  const Scored& row_at(size_t place) const { return rows_[shared_.order[place]]; }
  int64_t depth(size_t stage) const { return stage == 0 ? 0 : shared_.cuts[stage - 1]; }

  // The states [B, T, D] of tokens after the cache.
  Tensor read(Cache& cache, const Tensor& tokens) const {
    if (before_forward_) before_forward_(/*continues=*/false);
    const ForwardPrecision precision(run_.compute);
    return guard(*run_.model, "extend", [&] { return run_.model->extend(cache, tokens.to(run_.compute.device), {}); })
        .final_BTD;
  }

  // Row p of the cache has what the rows of parents[p] begin with, up to the depth of this stage, and last_PD is the
  // state after it. Rows that end before the next cut are read each on its own; of the others, equal tokens up to the
  // cut once.
  void descend(const Cache& cache, const Tensor& last_PD, const std::vector<Read>& parents, size_t stage) {
    const bool is_last = stage == shared_.cuts.size();
    const auto cut = is_last ? 0 : shared_.cuts[stage];
    std::vector<Read> ends, beginnings;
    for (size_t p = 0; p < parents.size(); ++p) {
      bool is_first = true;  // of the rows after this parent that read up to the cut
      for (const auto place : parents[p].places) {
        if (is_last || reads(row_at(place)) < cut) {
          ends.push_back({static_cast<int64_t>(p), reads(row_at(place)), {place}});
          continue;
        }
        if (is_first || shared_.shared[place] < cut) beginnings.push_back({static_cast<int64_t>(p), cut, {}});
        beginnings.back().places.push_back(place);
        is_first = false;
      }
    }
    // The longest first, so that a batch has little padding.
    std::stable_sort(ends.begin(), ends.end(), [](const Read& a, const Read& b) { return a.end > b.end; });
    each_batch(ends, stage, [&](const std::vector<Read>& batch) { read_on(cache, last_PD, batch, stage, true); });
    each_batch(beginnings, stage, [&](const std::vector<Read>& batch) {
      const auto [longer, state_BD] = read_on(cache, last_PD, batch, stage, false);
      descend(longer, state_BD, batch, stage + 1);
    });
  }

  void each_batch(const std::vector<Read>& all, size_t stage, const auto& work) const {
    for (auto begin = all.begin(); begin != all.end();) {
      const auto length = std::max<int64_t>(begin->end - depth(stage), 1);
      const auto size = std::min<int64_t>(all.end() - begin, std::max<int64_t>(kTokensAtOnce / length, 1));
      work(std::vector<Read>(begin, begin + size));
      begin += size;
    }
  }

  // Reads on from the depth of the stage and scores the tokens up to the end of each read, of rows that end the last
  // one, too. Returns the cache and the state at the end, unless the rows do. Padding is behind a row's tokens, where
  // none of them attends to it.
  std::pair<Cache, Tensor> read_on(const Cache& before, const Tensor& last_PD, const std::vector<Read>& batch,
                                   size_t stage, bool rows_end) {
    const auto from = depth(stage), B = static_cast<int64_t>(batch.size()), L = batch.front().end - from;
    const auto tokens_BL = at::zeros({B, L}, at::kLong), position_BL = at::zeros({B, L}, at::kLong);
    std::vector<int64_t> parents, predictions, targets;
    std::vector<size_t> rows;
    for (int64_t b = 0; b < B; ++b) {
      const auto& one = batch[static_cast<size_t>(b)];
      parents.push_back(one.parent);
      const auto& row = row_at(one.places.front());
      for (int64_t t = from; t < from + L; ++t) {
        const auto at = static_cast<size_t>(t);
        const auto to = b * L + t - from;
        if (t < one.end) tokens_BL.data_ptr<int64_t>()[to] = row.tokens[at];
        position_BL.data_ptr<int64_t>()[to] =
            row.positions.empty() ? start_ + t : row.positions[std::min(at, row.positions.size() - 1)];
      }
      for (const auto place : one.places) {
        const auto& own = row_at(place);
        const auto end = rows_end ? static_cast<int64_t>(own.tokens.size()) : one.end;
        for (auto t = std::max(own.from, from); t < end; ++t) {
          predictions.push_back(b * (L + 1) + t - from);
          targets.push_back(own.tokens[static_cast<size_t>(t)]);
          rows.push_back(shared_.order[place]);
        }
      }
    }
    if (rows_end && targets.empty()) return {};
    const auto& device = run_.compute.device;
    const auto parent_B = at::tensor(parents, at::kLong).to(device);
    auto cache = before;
    // The state before each token, and after the last one.
    auto state_BLD = last_PD.index_select(0, parent_B).unsqueeze(1);
    if (L > 0) {
      cache.select(parent_B);
      if (has_positions_) cache.next_positions = position_BL.to(device);
      state_BLD = at::cat({state_BLD, read(cache, tokens_BL)}, 1);
    }
    if (!targets.empty()) {
      const auto index_N = at::tensor(predictions, at::kLong).to(device);
      score(state_BLD.reshape({-1, last_PD.size(1)}).index_select(0, index_N), targets, rows);
    }
    return {std::move(cache), state_BLD.select(1, L)};
  }

  void score(const Tensor& state_ND, const std::vector<int64_t>& targets, const std::vector<size_t>& rows) {
    const ForwardPrecision precision(run_.compute);
    auto& model = *run_.model;
    const auto logits_NV = guard(model, "logits", [&] { return model.logits(state_ND); });
    const auto target_N = at::tensor(targets, at::kLong).to(run_.compute.device);
    const auto nll_N =
        nn::vocabulary_cross_entropy(logits_NV, target_N, run_.vocabulary->size(), model.padded_vocabulary(), mesh_)
            .to(at::kCPU, at::kDouble)
            .contiguous();
    if (nll_N.isnan().any().item<bool>()) throw UserError("the logits contain NaN; check the model's weights");
    for (size_t n = 0; n < rows.size(); ++n) log_p_[rows[n]].push_back(-nll_N.const_data_ptr<double>()[n]);
  }

  Assembled& run_;
  const std::function<void(bool)>& before_forward_;
  const Mesh& mesh_;
  const std::vector<Scored>& rows_;
  const SharedReads shared_;
  bool has_positions_ = false;
  int64_t start_ = 0;  // tokens before every row
  std::vector<std::vector<double>> log_p_;
};

}  // namespace

std::vector<std::vector<double>> likelihoods(Assembled& run, const std::function<void(bool)>& before_forward,
                                             const Mesh& mesh, const std::vector<int32_t>& prefix,
                                             const std::vector<Scored>& rows) {
  const c10::NoGradGuard no_grad;
  check_length(run, prefix, rows);
  if (rows.empty()) return {};
  return Likelihoods(run, before_forward, mesh, rows).after(prefix);
}

}  // namespace assay::run
