#include "compare/verdicts/claim_pairs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compare/statistics/exact_tests.h"
#include "compare/statistics/power.h"
#include "compare/statistics/statistics.h"
#include "compare/table/documents.h"

namespace assay::compare {
namespace {

using study::Relation;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct SideValue {
  Presence presence = Presence::kPending;
  double value = 0;  // infinite for a diverged run, in the worse direction
};

// One seed of one pair.
struct SeedPair {
  std::int64_t seed = 0;
  Presence presence = Presence::kPending;
  double difference = 0;  // may be infinite if a diverged run counts as worst
  double left = 0, right = 0;
  bool skips = false;  // some run of the pair has skipped steps
};

SideValue value_of(const RunResult& run, const std::string& metric, const std::string& direction) {
  const auto presence = presence_of(run, metric);
  if (presence == Presence::kPresent) return {presence, run.values.at(metric).value};
  return {presence, direction == "higher" ? -kInfinity : kInfinity};
}

class Sampler {
 public:
  Sampler(const study::Claim& claim, const Results& results, const std::vector<Group>& groups,
          const study::Partners& partners, const study::CompareSettings& settings, double level)
      : claim_(claim),
        results_(results),
        groups_(groups),
        partners_(partners),
        settings_(settings),
        level_(level),
        left_direction_(direction_of(results, claim.left.metric.name)),
        right_direction_(claim.right ? direction_of(results, claim.right->metric.name) : left_direction_),
        diverged_is_worst_(claim.diverged_is_worst && left_direction_ != "none" && right_direction_ != "none") {}

  ClaimSample sample() {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;  // without a right side, a row is paired with itself
    auto free =
        claim_.right ? study::Partners::free_axes(&claim_.left.rows, claim_.right->rows) : study::Partners::Free{};
    if (claim_.over == study::Over::kTuned && settings_.tune)
      for (const auto& key : settings_.tune->over) free.push_back(key.name);
    const auto left = rows_of(claim_.left);
    const auto right = claim_.right ? rows_of(*claim_.right) : left;
    for (const auto row : left) {
      if (!claim_.right) {
        pairs.emplace_back(row, row);
        continue;
      }
      const auto found = partners_.of(row, right, free);
      if (found.empty()) found_.remarks.push_back(fmt::format("{} has no partner and is left out.", label(row)));
      for (const auto partner : found) pairs.emplace_back(row, partner);
    }
    if (pairs.empty()) found_.remarks.push_back("There are no rows to compare.");
    if (claim_.over == study::Over::kMean && pairs.size() > 1) {
      add_mean(pairs);
    } else {
      for (const auto& [row, partner] : pairs) {
        add(seed_pairs(row, partner), label(row), claim_.right ? label(partner) : "");
        found_.pairs.back().documents = over_documents(row, partner);
      }
    }
    for (auto& pair : found_.pairs)
      if (pair.is_complete()) pair.needed = needed(pair);
    if (claim_.diverged_is_worst && found_.absent.contains(Presence::kDiverged))
      found_.remarks.push_back("A diverged run cannot count as worst in a metric without a better direction.");
    return std::move(found_);
  }

 private:
  // If a diverged run counts as worst, a pair with one is as present as its partner, because another attempt may fix a
  // partner that failed.
  Presence of_pair(Presence one, Presence other) const {
    const bool diverged = one == Presence::kDiverged, other_diverged = other == Presence::kDiverged;
    if (diverged_is_worst_ && diverged != other_diverged) {
      const auto partner = diverged ? other : one;
      if (partner != Presence::kPresent) return partner;
    }
    return joined(one, other);
  }

  bool counts(Presence pair) const {
    return pair == Presence::kPresent || (diverged_is_worst_ && pair == Presence::kDiverged);
  }

  void note_absent(const RunResult& run, Presence presence) {
    if (!counts(presence)) found_.absent[presence].insert(&run);
  }

  std::string label(std::size_t row) const { return groups_[row].front()->label; }

  // Empty if the side names a value that no row has: the claim would not be the intended one.
  std::vector<std::size_t> rows_of(const study::ClaimSide& side) {
    document::Diagnostics unknown;
    sweep::require_known_values(side.rows, partners_.rows(), "A side of the claim", unknown);
    if (!unknown.empty()) {
      found_.remarks.push_back(unknown.first().message + ".");
      return {};
    }
    auto rows = partners_.matching(side.rows);
    if (claim_.over != study::Over::kTuned || !settings_.tune) return rows;
    std::vector<std::size_t> chosen;
    for (const auto& row :
         tuned_rows(groups_, partners_, rows, settings_, direction_of(results_, settings_.tune->by.name))) {
      if (row.open > 0) {
        found_.trials_undecided = true;
        found_.remarks.push_back(
            fmt::format("{} of the {} trials like {} have failed or pending runs, "
                        "so the best of the others would not be a fair choice.",
                        row.open, row.trials.size(), label(row.trials[0])));
      }
      if (row.chosen) {
        chosen.push_back(*row.chosen);
        found_.remarks.push_back(
            fmt::format("The tuned row is {}, the best of {} trials{}.", label(*row.chosen), row.trials.size(),
                        row.edges.empty() ? "" : fmt::format(", at the edge of {}", fmt::join(row.edges, ", "))));
      } else {
        found_.remarks.push_back(fmt::format("None of the {} trials like {} has all of its values of {}.",
                                             row.trials.size(), label(row.trials[0]), settings_.tune->by.name));
      }
    }
    return chosen;
  }

  bool is_reported(std::int64_t seed) const {
    if (claim_.over != study::Over::kTuned || !settings_.report) return true;
    return assay::compare::is_reported(seed, settings_.report->seeds);
  }

  void note_lone_seeds(std::size_t row, std::size_t partner) {
    std::vector<std::int64_t> alone;
    for (const auto* run : groups_[row])
      if (is_reported(run->seed) && !with_seed(groups_[partner], run->seed)) alone.push_back(run->seed);
    if (!alone.empty())
      found_.remarks.push_back(fmt::format("Seed{} {} of {} {} not planned for {} and cannot be paired.",
                                           alone.size() == 1 ? "" : "s", fmt::join(alone, ", "), label(row),
                                           alone.size() == 1 ? "is" : "are", label(partner)));
  }

  std::vector<SeedPair> seed_pairs(std::size_t row, std::size_t partner) {
    std::vector<SeedPair> pairs;
    if (claim_.right) {
      note_lone_seeds(row, partner);
      note_lone_seeds(partner, row);
    }
    for (const auto* run : groups_[row]) {
      if (!is_reported(run->seed)) continue;
      const auto* other = claim_.right ? with_seed(groups_[partner], run->seed) : nullptr;
      if (claim_.right && !other) continue;
      const auto a = value_of(*run, claim_.left.metric.name, left_direction_);
      SideValue b{Presence::kPresent, 0};
      note_absent(*run, a.presence);
      if (other) {
        b = value_of(*other, claim_.right->metric.name, right_direction_);
        note_absent(*other, b.presence);
      }
      auto& pair = pairs.emplace_back();
      pair.seed = run->seed;
      pair.presence = of_pair(a.presence, b.presence);
      pair.skips = run->steps.skipped > 0 || (other && other->steps.skipped > 0);
      if (!counts(pair.presence)) continue;
      pair.left = a.value;
      pair.right = b.value;
      const double scaled = claim_.inequality.right_factor == 0 ? 0 : claim_.inequality.right_factor * b.value;
      pair.difference = claim_.inequality.left_factor * a.value - scaled - claim_.inequality.offset;
      if (std::isnan(pair.difference)) pair.difference = 0;  // both diverged: neither is worse
    }
    return pairs;
  }

  // Requires that both sides are the same metric, unscaled, on the same texts.
  std::optional<Interval> over_documents(std::size_t row, std::size_t partner) const {
    if (!claim_.right || claim_.left.metric.name != claim_.right->metric.name) return std::nullopt;
    if (claim_.inequality.left_factor != 1 || claim_.inequality.right_factor != 1) return std::nullopt;
    const bool tuned = claim_.over == study::Over::kTuned && settings_.report;
    const auto found = difference_over_documents(groups_[row], groups_[partner], claim_.left.metric.name,
                                                 tuned ? settings_.report->seeds : std::vector<std::int64_t>{});
    if (!found) return std::nullopt;
    return Interval{found->interval.low - claim_.inequality.offset, found->interval.high - claim_.inequality.offset};
  }

  // Averages over all pairs per seed, for the seeds that every pair has.
  void add_mean(const std::vector<std::pair<std::size_t, std::size_t>>& pairs) {
    auto mean = seed_pairs(pairs[0].first, pairs[0].second);
    std::set<std::int64_t> dropped;
    for (std::size_t i = 1; i < pairs.size(); ++i) {
      const auto next = seed_pairs(pairs[i].first, pairs[i].second);
      const auto partner_of = [&](const SeedPair& one) {
        return std::find_if(next.begin(), next.end(), [&](const SeedPair& p) { return p.seed == one.seed; });
      };
      const auto has = [](const std::vector<SeedPair>& seeds, const SeedPair& one) {
        return std::ranges::find(seeds, one.seed, &SeedPair::seed) != seeds.end();
      };
      for (const auto& one : next)
        if (!has(mean, one)) dropped.insert(one.seed);
      std::erase_if(mean, [&](const SeedPair& one) {
        if (has(next, one)) return false;
        dropped.insert(one.seed);
        return true;
      });
      for (auto& one : mean) {
        const auto same = partner_of(one);
        one.presence = of_pair(one.presence, same->presence);
        one.skips |= same->skips;
        if (!counts(one.presence)) continue;
        one.difference += same->difference;
        one.left += same->left;
        one.right += same->right;
      }
    }
    if (!dropped.empty())
      found_.remarks.push_back(fmt::format("The mean leaves out seed{} {}, which not every pair of rows has.",
                                           dropped.size() == 1 ? "" : "s", fmt::join(dropped, ", ")));
    for (auto& one : mean) {
      one.difference = std::isnan(one.difference) ? 0 : one.difference / static_cast<double>(pairs.size());
      one.left /= static_cast<double>(pairs.size());
      one.right /= static_cast<double>(pairs.size());
    }
    add(mean, fmt::format("mean of {} rows", pairs.size()), claim_.right ? "their partners" : "");
  }

  void add(const std::vector<SeedPair>& seeds, std::string left, std::string right) {
    ClaimPair pair{.left = std::move(left), .right = std::move(right)};
    std::vector<double> all, finite, lefts, rights;
    for (const auto& seed : seeds) {
      add_one(seed.presence, pair.pairs);
      pair.pairs.skipping += seed.skips && seed.presence == Presence::kPresent;
      if (!counts(seed.presence)) continue;
      all.push_back(seed.difference);
      if (seed.presence == Presence::kDiverged) continue;
      finite.push_back(seed.difference);
      lefts.push_back(seed.left);
      rights.push_back(seed.right);
    }
    pair.n = all.size();
    pair.test = paired_t(finite, scale_of(lefts, rights));
    if (finite.size() > 1) pair.sign_flip_p = sign_flip_p(finite);
    if (claim_.right) pair.correlation = pair_correlation(lefts, rights);
    pair.by_rank = all.size() > finite.size();
    if (pair.is_complete() && pair.n >= kMinPairs) decide(pair, all);
    pair.speaks_for = pair.test && speaks_for(pair.test->difference);
    found_.pairs.push_back(std::move(pair));
  }

  // The largest value that enters the tested quantity.
  double scale_of(const std::vector<double>& lefts, const std::vector<double>& rights) const {
    const auto& inequality = claim_.inequality;
    return std::max({std::abs(inequality.offset), std::abs(inequality.left_factor) * largest_magnitude(lefts),
                     std::abs(inequality.right_factor) * largest_magnitude(rights)});
  }

  void decide(ClaimPair& pair, const std::vector<double>& all) const {
    const auto relation = claim_.inequality.relation;
    const double floor = pair.test && !pair.by_rank ? pair.test->exact_floor : 0;  // one-sided p
    pair.support_floor = pair.refute_floor = 2 * floor;
    if (relation == Relation::kEqual) {
      if (pair.by_rank || !pair.test)
        return;  // a diverged run is not within any margin, and how far outside is unknown
      pair.is_tested = true;
      pair.support_floor = floor;
      pair.p_support = p_equivalent(*pair.test, claim_.inequality.within);
      pair.p_refute = p_not_equivalent(*pair.test, claim_.inequality.within);
      return;
    }
    pair.is_tested = true;
    const double p = pair.by_rank ? signed_rank_p(all) : p_two_sided(*pair.test);
    const double balance = pair.by_rank ? rank_balance(all) : pair.test->difference;
    const bool as_stated = relation == Relation::kLess ? balance < 0 : balance > 0;
    (as_stated ? pair.p_support : pair.p_refute) = p;
  }

  // Positive when the larger ranks belong to positive differences.
  static double rank_balance(std::vector<double> differences) {
    std::sort(differences.begin(), differences.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    double balance = 0;
    for (std::size_t i = 0; i < differences.size(); ++i)
      balance += static_cast<double>(i + 1) * (differences[i] > 0 ? 1 : differences[i] < 0 ? -1 : 0);
    return balance;
  }

  bool speaks_for(double difference) const {
    switch (claim_.inequality.relation) {
      case Relation::kLess:
        return difference < 0;
      case Relation::kEqual:
        return std::abs(difference) < claim_.inequality.within;
      default:
        return difference > 0;
    }
  }

  // The pairs needed to support a claim, or to refute it if the pair speaks against it; then p is multiplied by the
  // number of pairs.
  std::optional<std::size_t> needed(const ClaimPair& pair) const {
    if (!pair.test) return std::nullopt;
    const double level = pair.speaks_for ? level_ : level_ / static_cast<double>(found_.pairs.size());
    const double root = std::sqrt(static_cast<double>(pair.test->n_left));
    const double deviation = pair.test->is_exact ? 0 : pair.test->standard_error * root;
    const bool is_none = pair.test->is_exact && std::abs(pair.test->difference) <= pair.test->rounding;
    const double difference = is_none ? 0 : pair.test->difference, within = claim_.inequality.within;
    if (claim_.inequality.relation != Relation::kEqual) return needed_pairs(difference, deviation, level);
    if (std::abs(difference) < within) return needed_pairs_to_be_equivalent(difference, deviation, within, level);
    return needed_pairs(std::abs(difference) - within, deviation, level);
  }

  const study::Claim& claim_;
  const Results& results_;
  const std::vector<Group>& groups_;
  const study::Partners& partners_;
  const study::CompareSettings& settings_;
  double level_;
  std::string left_direction_, right_direction_;
  bool diverged_is_worst_;
  ClaimSample found_;
};

}  // namespace

ClaimSample sample_of(const study::Claim& claim, const Results& results, const std::vector<Group>& groups,
                      const study::Partners& partners, const study::CompareSettings& settings, double level) {
  return Sampler(claim, results, groups, partners, settings, level).sample();
}

}  // namespace assay::compare
