// Universal adversarial triggers (Wallace et al. 2019, arXiv:1908.07125; Mehrabi et al. 2022, NAACL, for dialogue):
// tokens after which the model says the target texts, by greedy coordinate descent. For one place after another, the
// tokens that the gradient points to are scored by forward passes, and the best one stays if it lowers the least loss
// so far.
#pragma once

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "assay/dialogue.h"
#include "assay/tokenizer.h"

namespace assay::attacks {

using Ids = std::vector<int32_t>;

struct SearchOptions {
  int64_t length = 6, candidates = 100, sweeps = 50;
  double language_weight = 0;    // of -ln p of the trigger's own tokens, per token
  bool legacy_gradient = false;  // the gradient leaves that term out after the first change, as the released code does
};

struct Found {
  Ids trigger;
  double loss = 0;
  std::vector<double> history;  // the least loss after each place that was looked at; never rises
};

// -ln p of the targets after the trigger and an end of text, per token of the targets, plus the trigger's own term.
class TriggerLoss {
 public:
  TriggerLoss(EvaluationContext& context, std::vector<Ids> targets, const SearchOptions& options)
      : run_(context.own()),
        targets_(std::move(targets)),
        options_(options),
        end_of_text_(static_cast<int32_t>(context.vocabulary().special(kEndOfText))) {
    for (const auto& target : targets_) tokens_ += static_cast<double>(target.size());
    if (tokens_ == 0) throw UserError("targets: a search needs a target text with a token");
  }

  // By candidate in the place of token `at`.
  std::vector<double> losses(const Ids& trigger, size_t at, const std::vector<int64_t>& candidates) const {
    const Ids before(trigger.begin(), trigger.begin() + static_cast<std::ptrdiff_t>(at));
    std::vector<Scored> rows;
    for (const auto candidate : candidates) {
      Ids after{static_cast<int32_t>(candidate)};
      after.insert(after.end(), trigger.begin() + static_cast<std::ptrdiff_t>(at) + 1, trigger.end());
      if (options_.language_weight > 0) rows.push_back({after, 0});
      after.push_back(end_of_text_);
      for (const auto& target : targets_) {
        auto tokens = after;
        tokens.insert(tokens.end(), target.begin(), target.end());
        rows.push_back({std::move(tokens), static_cast<int64_t>(after.size())});
      }
    }
    // The tokens before the place are the same for all candidates.
    double known = 0;
    if (options_.language_weight > 0 && !before.empty()) known = -sum(run_.log_probs({}, {{before, 0}})[0]);
    const auto log_p = run_.log_probs(before, rows);
    std::vector<double> losses;
    size_t row = 0;
    for (size_t c = 0; c < candidates.size(); ++c) {
      double loss = 0;
      if (options_.language_weight > 0)
        loss += options_.language_weight * (known - sum(log_p[row++])) / static_cast<double>(trigger.size());
      double nats = 0;
      for (size_t y = 0; y < targets_.size(); ++y) nats -= sum(log_p[row++]);
      losses.push_back(loss + nats / tokens_);
    }
    return losses;
  }

  // With respect to the embedding of each token of the trigger: [length, D].
  Tensor gradient(const Ids& trigger, bool with_language) const {
    const auto L = static_cast<int64_t>(trigger.size()), B = static_cast<int64_t>(targets_.size());
    size_t longest = 0;
    for (const auto& target : targets_) longest = std::max(longest, target.size());
    // An end of text, the trigger, an end of text and a target, of which the last token is only predicted.
    const auto T = L + 1 + static_cast<int64_t>(longest);
    Batch batch;
    batch.tokens = at::full({B, T}, end_of_text_, at::kLong);
    batch.targets = batch.tokens.clone();
    const auto weight_BT = at::zeros({B, T}, at::kDouble);
    for (int64_t b = 0; b < B; ++b) {
      auto row = trigger;
      row.push_back(end_of_text_);
      const auto& target = targets_[static_cast<size_t>(b)];
      row.insert(row.end(), target.begin(), target.end());
      for (int64_t t = 0; t < static_cast<int64_t>(row.size()); ++t) {
        const auto at = static_cast<size_t>(t);
        if (t + 1 < T) batch.tokens.data_ptr<int64_t>()[b * T + t + 1] = row[at];
        batch.targets.data_ptr<int64_t>()[b * T + t] = row[at];
        const bool is_target = t > L, is_own = with_language && b == 0 && t < L;
        if (is_target) weight_BT.data_ptr<double>()[b * T + t] = 1 / tokens_;
        if (is_own) weight_BT.data_ptr<double>()[b * T + t] = options_.language_weight / static_cast<double>(L);
      }
    }
    const auto gradient_BTD = run_.embedding_gradient(batch, [&](Forward& forward) {
      const auto nll = forward.token_nll();
      return (nll * weight_BT.to(nll.device(), nll.scalar_type())).sum();
    });
    return gradient_BTD.narrow(1, 1, L).sum(0);
  }

 private:
  static double sum(const std::vector<double>& values) {
    double all = 0;
    for (const auto value : values) all += value;
    return all;
  }
  TrainedRun& run_;
  std::vector<Ids> targets_;
  SearchOptions options_;
  int32_t end_of_text_;
  double tokens_ = 0;
};

// `length` tokens drawn from the vocabulary without its special tokens.
inline Ids drawn_tokens(const Vocabulary& vocabulary, int64_t length, const Draws& draws) {
  std::set<int64_t> special;
  for (const auto& [name, id] : vocabulary.special()) special.insert(id);
  std::vector<int32_t> allowed;
  for (int64_t id = 0; id < vocabulary.size(); ++id)
    if (!special.count(id)) allowed.push_back(static_cast<int32_t>(id));
  Ids tokens;
  for (int64_t i = 0; i < length; ++i) tokens.push_back(allowed[draws.below(allowed.size(), static_cast<uint64_t>(i))]);
  return tokens;
}

// Ends after `sweeps` passes over the places, or when two more places than there are were looked at without a change
// (in the released code the end of text after the trigger counts as a place, too).
inline Found search(EvaluationContext& context, const TriggerLoss& loss, const SearchOptions& options, Ids trigger) {
  Found found{std::move(trigger), 0, {}};
  found.loss = loss.losses(found.trigger, 0, {found.trigger[0]})[0];
  const auto length = static_cast<int64_t>(found.trigger.size());
  int64_t unchanged = 0;
  bool has_changed = false;
  for (int64_t look = 0; look < options.sweeps * length && unchanged < length + 2; ++look) {
    const auto at = look % length;
    const bool with_language = options.language_weight > 0 && !(options.legacy_gradient && has_changed);
    const auto gradient_LD = loss.gradient(found.trigger, with_language);
    const auto candidate_1K = context.own().steepest_tokens(gradient_LD.narrow(0, at, 1), options.candidates);
    const std::vector<int64_t> candidates(candidate_1K.const_data_ptr<int64_t>(),
                                          candidate_1K.const_data_ptr<int64_t>() + candidate_1K.numel());
    const auto losses = loss.losses(found.trigger, static_cast<size_t>(at), candidates);
    const auto best = static_cast<size_t>(std::min_element(losses.begin(), losses.end()) - losses.begin());
    ++unchanged;
    if (losses[best] < found.loss) {
      found.loss = losses[best];
      found.trigger[static_cast<size_t>(at)] = static_cast<int32_t>(candidates[best]);
      unchanged = 0;
      has_changed = true;
    }
    found.history.push_back(found.loss);
  }
  return found;
}

}  // namespace assay::attacks
