#include "compare/table/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "compare/statistics/families.h"
#include "compare/statistics/power.h"
#include "compare/table/cells.h"
#include "compare/table/documents.h"

namespace assay::compare {
namespace {

using nlohmann::json;

std::set<std::int64_t> seeds_of_all_groups(const RowSource& source, const std::vector<Group>& groups) {
  std::set<std::int64_t> seeds;
  for (const auto& [seed, count] : planned_seeds(source, groups, {}))
    if (count == source.groups.size()) seeds.insert(seed);
  return seeds;
}

bool draws_dropout(const json& model) {
  if (!model.is_object()) return false;
  return std::any_of(model.items().begin(), model.items().end(), [](const auto& item) {
    return item.value().is_object()
               ? draws_dropout(item.value())
               : item.key().find("dropout") != std::string::npos && item.value().is_number() && item.value() > 0;
  });
}

// Streams are keyed by the seed and never by the configuration, so with equal seeds both rows share the draws that they
// have in common.
std::string shared_streams(const record::TrainConfig& row, const record::TrainConfig& baseline, bool same_seeds) {
  if (!same_seeds) return "nothing: other seeds";
  const auto same = [&](const char* section) { return row.section(section) == baseline.section(section); };
  std::vector<std::string> shared{same("model") && same("init") ? "initial weights"
                                                                : "initial weights where shapes agree"};
  if (same("data") && same("transforms") && row.train.batch == baseline.train.batch) {
    shared.push_back("data order");
    if (draws_dropout(row.model) && draws_dropout(baseline.model)) shared.push_back("dropout");
  }
  return fmt::format("{}", fmt::join(shared, ", "));
}

// The seeds of two rows, as pairs if the seeds are the same.
Count compared_pairs(const Cell& cell, const Cell& baseline, bool same_seeds) {
  if (same_seeds) return pairs_of(cell.seeds, baseline.seeds);
  Count both;
  for (const auto* seeds : {&cell.seeds, &baseline.seeds})
    for (const auto& [seed, presence] : *seeds) add_one(presence, both);
  return both;
}

std::size_t open_trials(const Row& row) { return row.tuned ? row.tuned->open : 0; }

// Whether pending values may still decide the comparison. They cannot if a pair lacks a value that neither waiting nor
// another attempt supplies (diverged, pruned, n/a), or if fewer seeds are planned than a verdict needs. An open trial
// may still become the one that represents its row.
bool may_be_decided(const Count& pairs, std::size_t seeds_planned, std::size_t open_trials) {
  const bool never_whole = pairs.diverged + pairs.pruned + pairs.not_applicable > 0;
  return open_trials > 0 || (!never_whole && !is_complete(pairs) && seeds_planned >= kMinPairs);
}

// `waiting`: the number of comparisons that are not decided but may be. They are members of the family with a p of 1,
// so that decided comparisons remain decided when their values arrive.
void adjust_column(Table& table, std::size_t column, std::size_t waiting) {
  std::vector<Comparison*> family;
  std::vector<double> p;
  for (auto& row : table.rows) {
    auto& comparison = row.cells[column].comparison;
    if (!comparison || !comparison->is_decided()) continue;
    family.push_back(&*comparison);
    p.push_back(comparison->difference.p);
  }
  p.resize(family.size() + waiting, 1.0);
  const auto adjusted = holm(p);
  for (std::size_t i = 0; i < family.size(); ++i) {
    family[i]->p_holm = adjusted[i];
    family[i]->separable = adjusted[i] < kSignificanceLevel;
  }
}

}  // namespace

void compare_with_baseline(Table& table, const std::vector<RowSource>& sources,
                           const std::vector<std::optional<std::size_t>>& baselines, const std::vector<Group>& groups,
                           const std::vector<std::int64_t>& reported) {
  std::vector<std::size_t> waiting(table.columns.size(), 0);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (!baselines[i]) continue;
    auto& row = table.rows[i];
    const auto& baseline = table.rows[*baselines[i]];
    const bool same_seeds =
        seeds_of_all_groups(sources[i], groups) == seeds_of_all_groups(sources[*baselines[i]], groups);
    row.compared_with = baseline.label;
    row.shared = shared_streams(sources[i].line.train, sources[*baselines[i]].line.train, same_seeds);
    const bool single = sources[i].groups.size() == 1 && sources[*baselines[i]].groups.size() == 1;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (!is_tested(table.columns[c])) continue;
      const auto difference = difference_of(row.cells[c].values, baseline.cells[c].values, same_seeds);
      const auto pairs = compared_pairs(row.cells[c], baseline.cells[c], same_seeds);
      const auto open = open_trials(row) + open_trials(baseline);
      const auto seeds_planned = std::min(row.cells[c].seeds.size(), baseline.cells[c].seeds.size());
      waiting[c] += may_be_decided(pairs, seeds_planned, open);
      if (!difference) continue;
      auto& comparison = row.cells[c].comparison.emplace();
      comparison.difference = *difference;
      comparison.pairs = pairs;
      comparison.open_trials = open;
      if (!single || !same_seeds) continue;
      if (const auto found = difference_over_documents(
              groups[sources[i].groups[0]], groups[sources[*baselines[i]].groups[0]], table.columns[c].name, reported))
        comparison.documents = found->interval;
    }
  }
  for (std::size_t c = 0; c < table.columns.size(); ++c) adjust_column(table, c, waiting[c]);
}

void mark_best(Table& table) {
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (!is_tested(table.columns[c])) continue;
    const double sign = table.columns[c].direction == "higher" ? -1 : 1;
    std::vector<Cell*> cells;
    bool open = false;  // a failed or pending run may make another row the best
    for (auto& row : table.rows) {
      const auto& count = row.cells[c].count;
      open |= count.failed + count.missing > 0 || open_trials(row) > 0;
      if (row.cells[c].summary.n > 0 && is_complete(count)) cells.push_back(&row.cells[c]);
    }
    if (open || cells.size() < 2) continue;
    auto* best = *std::min_element(cells.begin(), cells.end(), [&](const Cell* a, const Cell* b) {
      return sign * a->summary.mean < sign * b->summary.mean;
    });
    const auto others = static_cast<double>(cells.size() - 1);
    best->best = std::all_of(cells.begin(), cells.end(), [&](const Cell* other) {
      if (other == best) return true;
      const bool paired = partners_by_seed(best->values, other->values).first.size() >= 2;
      const auto difference = difference_of(best->values, other->values, paired);
      return difference && !difference->too_few && difference->p * others < kSignificanceLevel;
    });
  }
}

}  // namespace assay::compare
