#include "plan/compare_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/nearest.h"
#include "record/metric_name.h"
#include "study/equal_cost.h"
#include "study/partners.h"

namespace assay::plan {
namespace {

class Checker {
 public:
  Checker(const study::CompareSettings& settings, const std::vector<record::PlanLine>& lines,
          const std::vector<document::KeyPath>& narrowed, document::Diagnostics& diagnostics)
      : settings_(settings),
        lines_(lines),
        narrowed_(narrowed),
        partners_(study::first_lines(lines)),
        diagnostics_(diagnostics) {
    for (const auto* row : partners_.rows()) row_lines_.push_back(*row);
  }

  void check() {
    for (const auto& metric : settings_.metrics) study::check_metric(metric, row_lines_, diagnostics_);
    check_baseline();
    if (settings_.tune) check_tune(*settings_.tune);
    if (settings_.report) check_report(*settings_.report);
    for (const auto& claim : settings_.claims) check_claim(claim);
  }

 private:
  bool is_narrowed(const sweep::Selector& selector) const {
    return std::any_of(selector.terms.begin(), selector.terms.end(), [&](const sweep::SelectorTerm& term) {
      return std::find(narrowed_.begin(), narrowed_.end(), term.path) != narrowed_.end();
    });
  }

  // Returns false and reports an error if the selector matches nothing; returns false without an error if the command
  // line has narrowed it.
  bool finds(const sweep::Selector& selector, const std::string& what) {
    if (selector.terms.empty() || is_narrowed(selector)) return false;
    sweep::require_match(selector, partners_.rows(), what, diagnostics_);
    return !partners_.matching(selector).empty();
  }

  void check_baseline() {
    if (!settings_.baseline || !finds(*settings_.baseline, "baseline") || settings_.drop_unmatched) return;
    std::vector<size_t> all(partners_.rows().size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    require_partners(all, partners_.matching(*settings_.baseline),
                     free_axes(nullptr, *settings_.baseline, tuned_axes()), settings_.baseline->position,
                     "the baseline");
  }

  study::Partners::Free tuned_axes() const {
    study::Partners::Free tuned;
    if (settings_.tune)
      for (const auto& key : settings_.tune->over) tuned.push_back(key.name);
    return tuned;
  }

  static study::Partners::Free free_axes(const sweep::Selector* left, const sweep::Selector& right,
                                         const study::Partners::Free& tuned) {
    auto free = study::Partners::free_axes(left, right);
    free.insert(free.end(), tuned.begin(), tuned.end());
    return free;
  }

  void require_partners(const std::vector<size_t>& rows, const std::vector<size_t>& candidates,
                        const study::Partners::Free& free, const document::Position& position,
                        const std::string& side) {
    for (const auto row : rows) {
      if (!partners_.of(row, candidates, free).empty()) continue;
      diagnostics_.add(
          position,
          fmt::format(
              "row '{}' has no partner in {}: {}; sweep that value too, or set unmatched = \"drop\" to omit such rows",
              row_lines_[row].label, side, partners_.why_none(row, candidates, free)));
      return;  // the others lack one for the same reason
    }
  }

  void check_scaling_claim(const study::Claim& claim) {
    const auto& metric = claim.left.metric;
    if (!settings_.scaling || !settings_.baseline)
      diagnostics_.add(metric.position,
                       fmt::format("a claim about {} needs [scaling], whose laws it compares, and 'baseline' in "
                                   "[compare], which it compares with",
                                   metric.name));
    if (claim.right || claim.inequality.right_factor != 0)
      diagnostics_.add(claim.position,
                       fmt::format("a claim about {} compares with the baseline of [compare]; compare 'left' with a "
                                   "number and remove 'right'",
                                   metric.name));
    if (claim.over != study::Over::kEach || claim.drop_unmatched || claim.diverged_is_worst)
      diagnostics_.add(
          claim.position,
          fmt::format("a claim about {} takes no 'over', 'unmatched' or 'diverged'; remove them", metric.name));
    if (claim.inequality.relation == study::Relation::kEqual)
      diagnostics_.add(claim.position,
                       fmt::format("'holds' of a claim about {} must be left < or > a number", metric.name));
    finds(claim.left.rows, "this side of the claim");
  }

  void check_claim(const study::Claim& claim) {
    if (study::is_of_scaling(claim)) return check_scaling_claim(claim);
    study::check_metric(claim.left.metric, row_lines_, diagnostics_);
    const bool left = finds(claim.left.rows, "this side of the claim");
    if (claim.over == study::Over::kTuned && !settings_.tune)
      diagnostics_.add(claim.position,
                       "over = \"tuned\" needs 'tune' in [compare], which names the axes and the metric");
    if (!claim.right) return;
    study::check_metric(claim.right->metric, row_lines_, diagnostics_);
    const bool right = finds(claim.right->rows, "this side of the claim");
    if (!left || !right || claim.drop_unmatched || !narrowed_.empty()) return;
    const auto rows = partners_.matching(claim.left.rows), others = partners_.matching(claim.right->rows);
    const auto free = free_axes(&claim.left.rows, claim.right->rows,
                                claim.over == study::Over::kTuned ? tuned_axes() : study::Partners::Free{});
    require_partners(rows, others, free, claim.position, "'right'");
    require_partners(others, rows, free, claim.position, "'left'");
  }

  void check_tune(const study::Tune& tune) {
    study::check_metric(tune.by, row_lines_, diagnostics_);
    check_split(tune.by, tune.split);
    std::set<std::string> axes;
    for (const auto& line : row_lines_)
      for (const auto& [axis, value] : line.axes.items()) axes.insert(axis);
    const std::vector<std::string> names(axes.begin(), axes.end());
    for (const auto& key : tune.over)
      if (!axes.count(key.name) && narrowed_.empty())
        diagnostics_.add(key.position, fmt::format("tune: '{}' is not an axis of this sweep{}", key.name,
                                                   base::suggestion(key.name, names, "the axes are ")));
    std::vector<size_t> all(row_lines_.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = i;
    const auto families = partners_.families(all, tuned_axes());
    for (const auto& family : families) {
      if (family.size() == families[0].size()) continue;
      diagnostics_.add(
          tune.position,
          fmt::format("tune: rows must have equal numbers of trials, but '{}' is one of {} and '{}' is one of {}",
                      row_lines_[families[0][0]].label, families[0].size(), row_lines_[family[0]].label,
                      family.size()));
      return;
    }
  }

  void check_split(const study::MetricName& metric, const std::string& split) {
    for (const auto& line : row_lines_)
      for (const auto& evaluation : line.evaluate) {
        if (evaluation.label != record::owner_of(metric.name)) continue;
        if (evaluation.split == split) continue;
        diagnostics_.add(metric.position,
                         fmt::format("tune: '{}' is evaluated on the split '{}', but tuning uses the split '{}'",
                                     metric.name, evaluation.split, split));
        return;
      }
  }

  void check_report(const study::Report& report) {
    std::set<std::string> splits;
    std::set<std::int64_t> seeds;
    for (const auto& line : lines_) seeds.insert(line.seed);
    for (const auto& line : row_lines_)
      for (const auto& evaluation : line.evaluate) splits.insert(evaluation.split);
    if (report.split && !splits.count(*report.split))
      diagnostics_.add(report.position, fmt::format("report: no [[evaluate]] uses the split '{}'", *report.split));
    for (const auto seed : report.seeds)
      if (!seeds.count(seed))
        diagnostics_.add(report.position, fmt::format("report: seed {} is not one of experiment.seeds", seed));
    if (report.seeds.size() >= seeds.size())
      diagnostics_.add(report.position,
                       "report: its seeds are all seeds of the experiment; at least one must be left for tuning");
  }

  const study::CompareSettings& settings_;
  const std::vector<record::PlanLine>& lines_;
  const std::vector<document::KeyPath>& narrowed_;
  study::Partners partners_;
  std::vector<record::PlanLine> row_lines_;  // the first of every group
  document::Diagnostics& diagnostics_;
};

// Returns no value if the cost depends on the model size and the size is unknown.
std::optional<double> planned_cost(const record::PlanLine& line, const std::string& name,
                                   const std::map<std::string, worker::ModelSize>& sizes) {
  const auto steps = static_cast<double>(line.steps()), batch = static_cast<double>(line.train.train.batch);
  if (name == "train.steps") return steps;
  const double tokens = steps * batch * static_cast<double>(line.train.data.context);
  if (name == "train.tokens") return tokens;
  const auto size = sizes.find(line.group);
  if (size == sizes.end()) return std::nullopt;
  if (name == "train.flops_exact") {
    if (size->second.row_flops == 0) return std::nullopt;
    return size->second.row_flops * steps * batch;
  }
  const auto parameters = static_cast<double>(size->second.parameters);
  return name == "train.parameters" ? parameters : 6 * parameters * tokens;
}

void check_equal(const study::EqualCost& equal, const std::vector<const record::PlanLine*>& rows,
                 const std::map<std::string, worker::ModelSize>& sizes, document::Diagnostics& diagnostics) {
  std::vector<study::Cost> costs;
  for (const auto* row : rows) {
    const auto cost = planned_cost(*row, equal.name, sizes);
    if (!cost) return;
    costs.push_back({row->label, *cost});
  }
  if (const auto gap = study::excessive_gap(equal, costs))
    diagnostics.add(
        equal.position,
        fmt::format(
            "rows are not equal in {}: '{}' has {:.4g} and '{}' has {:.4g}, {:.1f}% more; at most {:.4g}% is allowed",
            equal.name, gap->least.label, gap->least.cost, gap->most.label, gap->most.cost, gap->percent,
            gap->allowed));
}

}  // namespace

void check_equal_costs(const study::CompareSettings& settings, const std::vector<record::PlanLine>& lines,
                       const std::map<std::string, worker::ModelSize>& sizes, document::Diagnostics& diagnostics) {
  const auto rows = study::first_lines(lines);
  for (const auto& equal : settings.equal) check_equal(equal, rows, sizes, diagnostics);
}

void check_comparison(const study::CompareSettings& settings, const std::vector<record::PlanLine>& lines,
                      const std::vector<document::KeyPath>& narrowed, document::Diagnostics& diagnostics) {
  if (!lines.empty()) Checker(settings, lines, narrowed, diagnostics).check();
}

}  // namespace assay::plan
