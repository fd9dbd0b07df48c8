#include "compare/verdicts/gate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "assay/error.h"
#include "base/number.h"
#include "base/printable.h"
#include "compare/statistics/families.h"

namespace assay::compare {
namespace {

using nlohmann::json;

constexpr std::size_t kMinSeeds = 3;  // with two, a t interval is twelve standard errors wide

SeedValues baseline_values(const json& metric) {
  SeedValues values;
  for (const auto& [seed, value] : metric.at("values").items())
    values.emplace_back(std::stoll(seed), value.get<double>());
  std::sort(values.begin(), values.end());
  return values;
}

double mean_of(const SeedValues& values) {
  double sum = 0;
  for (const auto& [seed, value] : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double tolerated(const Tolerances& tolerances, const std::string& metric, double baseline_mean) {
  for (const auto& name : {metric, metric.substr(0, metric.find('@')), std::string()})
    if (const auto found = tolerances.find(name); found != tolerances.end())
      return found->second.relative ? found->second.amount * std::abs(baseline_mean) : found->second.amount;
  return 0;
}

std::set<std::int64_t> seeds_of(const SeedValues& values) {
  std::set<std::int64_t> seeds;
  for (const auto& [seed, value] : values) seeds.insert(seed);
  return seeds;
}

// Seeds whose runs diverged in the baseline.
std::set<std::int64_t> diverged_before(const json& metric) {
  return metric.value("diverged", json::array()).get<std::set<std::int64_t>>();
}

// Decides the check if runs without a value decide it. Returns false if every run has a value except those that had
// none in the baseline.
bool check_absent(const Cell& cell, const std::set<std::int64_t>& baseline_seeds, const std::set<std::int64_t>& known,
                  GateCheck& check) {
  std::size_t lost = 0, lost_baseline = 0;
  Count all, others;  // counts of seeds, like the baseline's values; a pooled row has several runs per seed
  for (const auto& [seed, presence] : cell.seeds) {
    add_one(presence, all);
    const bool diverged = presence == Presence::kDiverged;
    if (diverged && !known.count(seed)) {
      ++lost;
      lost_baseline += baseline_seeds.count(seed);
    }
    add_one(diverged ? Presence::kPresent : presence, others);
  }
  if (lost > 0) {
    check.verdict = GateVerdict::kRegression;
    check.reason = fmt::format("{} of {} runs diverged, {} of them with a value in the baseline", lost, all.planned,
                               lost_baseline);
    return true;
  }
  if (is_complete(others)) return false;
  // The remaining runs may be a biased subset.
  check.reason = fmt::format("{} of {} runs have a value: {}", all.present, all.planned, reasons_text(all));
  return true;
}

bool is_worse_anywhere(const SeedValues& now, const SeedValues& before) {
  const auto [a, b] = partners_by_seed(now, before);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] - b[i] > kRounding * std::max(std::abs(a[i]), std::abs(b[i]))) return true;
  return false;
}

// Marks a verdict of the one-sided t test whose p is below what the exact test can reach at so few seeds.
std::string by_t(const char* verdict, double p, const TTest& test) {
  return p < test.exact_floor ? fmt::format("{}, if differences are normally distributed", verdict) : verdict;
}

// Decides the check if no test is needed; otherwise returns the p of a regression.
std::optional<double> check_cell(const Cell& cell, const json& kept, bool lower_is_better, GateCheck& check) {
  auto now = cell.values;
  auto before = baseline_values(kept);
  for (auto* values : {&now, &before})
    for (auto& [seed, value] : *values) value = lower_is_better ? value : -value;
  const auto baseline_seeds = seeds_of(before);
  if (check_absent(cell, baseline_seeds, diverged_before(kept), check)) return std::nullopt;
  const bool same_seeds = seeds_of(now) == baseline_seeds;
  check.difference = difference_of(now, before, same_seeds);
  if (same_seeds && !now.empty() && !is_worse_anywhere(now, before)) {
    check.verdict = GateVerdict::kFine;
    check.reason = "no seed is worse";
    return std::nullopt;
  }
  if (!check.difference || std::min(check.difference->test.n_left, check.difference->test.n_right) < kMinSeeds) {
    check.reason = fmt::format("too few seeds: {} now and {} in the baseline; each needs at least {}", now.size(),
                               before.size(), kMinSeeds);
    return std::nullopt;
  }
  const auto& test = check.difference->test;
  if (test.is_exact && test.exact_floor >= kSignificanceLevel) {
    check.reason =
        fmt::format("the differences have no spread, and {} seeds are too few for the sign-flip test", test.n_left);
    return std::nullopt;
  }
  if (const double p = p_less(test, check.tolerance); p < kSignificanceLevel) {
    check.verdict = GateVerdict::kFine;
    check.reason = by_t("below the tolerance", p, test);
    return std::nullopt;
  }
  check.reason = "neither significantly below nor significantly above the tolerance";
  return p_greater(test, check.tolerance);
}

// The metrics of a row in a baseline; none if the baseline does not have the row.
json baseline_metrics(const json& baseline, const Row& row) {
  for (const auto& kept : baseline.at("rows"))
    if (kept.at("axes").get<std::map<std::string, std::string>>() == row.axes) return kept.at("metrics");
  return json::object();
}

// "positional=a: lm.nll, lm.bits_per_byte: <text>" for each text about metrics of the row.
void list_by_metric(const Row& row, const std::map<std::string, std::vector<std::string>>& metrics_by_text,
                    std::size_t tested, std::vector<std::string>& lines) {
  const auto label = row.label.empty() ? std::string("all") : row.label;
  for (const auto& [text, metrics] : metrics_by_text)
    lines.push_back(metrics.size() == tested ? fmt::format("{}: {}", label, text)
                                             : fmt::format("{}: {}: {}", label, fmt::join(metrics, ", "), text));
}

}  // namespace

Tolerance read_tolerance(const std::string& text) {
  Tolerance tolerance;
  tolerance.relative = text.ends_with('%');
  const auto amount = base::parse_number<double>(std::string_view(text).substr(0, text.size() - tolerance.relative));
  if (!amount || !(*amount >= 0) || !std::isfinite(*amount))
    throw UserError(
        fmt::format("tolerance '{}': the value is not valid; "
                    "give a number of at least 0 in the metric's unit, or a share such as 1%",
                    text));
  tolerance.amount = tolerance.relative ? *amount / 100 : *amount;
  return tolerance;
}

std::string tolerance_text(const Tolerance& tolerance) {
  return tolerance.relative ? fmt::format("{}%", 100 * tolerance.amount) : fmt::format("{}", tolerance.amount);
}

const char* name_of(GateVerdict verdict) {
  return verdict == GateVerdict::kFine ? "fine" : verdict == GateVerdict::kRegression ? "regression" : "undecided";
}

json gate_baseline(const Table& table, const Tolerances& tolerances) {
  json baseline = {{"schema", 1}, {"experiment", table.experiment}, {"rows", json::array()}};
  baseline["tolerance"] = json::object();
  for (const auto& [metric, tolerance] : tolerances) baseline["tolerance"][metric] = tolerance_text(tolerance);
  for (const auto& row : table.rows) {
    auto metrics = json::object();
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const auto& column = table.columns[i];
      if (!is_tested(column) || row.cells[i].values.empty()) continue;
      auto values = json::object();
      for (const auto& [seed, value] : row.cells[i].values) values[std::to_string(seed)] = value;
      auto& kept = metrics[column.name] = {{"direction", column.direction}, {"values", values}};
      for (const auto& [seed, presence] : row.cells[i].seeds)
        if (presence == Presence::kDiverged) kept["diverged"].push_back(seed);
    }
    if (metrics.empty()) continue;
    baseline["rows"].push_back({{"label", row.label}, {"axes", row.axes}, {"metrics", metrics}});
  }
  baseline["provenance"] = json::object();
  for (const auto& [name, value] : table.provenance)
    baseline["provenance"][name] = base::valid_utf8(value);  // a command may contain any bytes
  return baseline;
}

std::vector<std::string> rows_without_values(const Table& table) {
  std::vector<std::string> lines;
  for (const auto& row : table.rows) {
    std::map<std::string, std::vector<std::string>> absent;
    std::size_t tested = 0;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (!is_tested(table.columns[i])) continue;
      ++tested;
      const auto& count = row.cells[i].count;
      if (!lacks_values(count)) continue;
      absent[fmt::format("{}: {} of {} runs have a value ({})",
                         count.present == 0 ? "not in the baseline" : "partly in the baseline", count.present,
                         count.planned, reasons_text(count))]
          .push_back(table.columns[i].name);
    }
    list_by_metric(row, absent, tested, lines);
  }
  return lines;
}

std::vector<std::string> rows_without_baseline(const Table& table, const json& baseline) {
  std::vector<std::string> lines;
  for (const auto& row : table.rows) {
    const auto known = baseline_metrics(baseline, row);
    std::map<std::string, std::vector<std::string>> fresh;
    std::size_t tested = 0;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const auto& column = table.columns[i];
      if (!is_tested(column)) continue;
      ++tested;
      const auto& count = row.cells[i].count;
      if (known.contains(column.name) || count.not_applicable == count.planned) continue;
      fresh[fmt::format("new, not in the baseline; runs {}", count_text(count))].push_back(column.name);
    }
    list_by_metric(row, fresh, tested, lines);
  }
  return lines;
}

json read_gate_baseline(const std::string& text, const std::string& file) {
  const auto baseline = json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    if (baseline.at("schema") != 1)
      throw UserError(file + ": the baseline has another schema; this version of assay reads schema 1");
    for (const auto& row : baseline.at("rows")) {
      row.at("axes").get<std::map<std::string, std::string>>();
      for (const auto& [metric, kept] : row.at("metrics").items()) {
        kept.at("direction").get<std::string>();
        baseline_values(kept);
        diverged_before(kept);
      }
    }
    tolerances_of(baseline);
  } catch (const std::exception& error) {
    if (dynamic_cast<const UserError*>(&error)) throw;
    throw UserError(fmt::format("{}: the file is not a gate's baseline ({}); --update writes one", file, error.what()));
  }
  return baseline;
}

Tolerances tolerances_of(const json& baseline) {
  Tolerances tolerances;
  const auto given = baseline.value("tolerance", json::object());
  for (const auto& [metric, text] : given.items())
    tolerances[metric] = read_tolerance(text.is_string() ? text.get<std::string>() : text.dump());
  return tolerances;
}

std::vector<GateCheck> gate(const Table& table, const json& baseline, const Tolerances& tolerances) {
  std::vector<GateCheck> checks;
  std::vector<std::size_t> tested;
  std::vector<double> p;
  for (const auto& baseline_row : baseline.at("rows")) {
    const auto axes = baseline_row.at("axes").get<std::map<std::string, std::string>>();
    const auto row =
        std::find_if(table.rows.begin(), table.rows.end(), [&](const Row& one) { return one.axes == axes; });
    for (const auto& [metric, kept] : baseline_row.at("metrics").items()) {
      auto& check = checks.emplace_back();
      check.row = baseline_row.value("label", "");
      check.metric = metric;
      check.tolerance = tolerated(tolerances, metric, mean_of(baseline_values(kept)));
      const auto& name = metric;
      const auto column =
          std::find_if(table.columns.begin(), table.columns.end(), [&](const Column& one) { return one.name == name; });
      if (row == table.rows.end() || column == table.columns.end()) {
        check.reason = row == table.rows.end() ? "the row no longer exists" : "the metric no longer exists";
        continue;
      }
      if (row->tuned && row->tuned->open > 0) {
        check.reason = fmt::format("{} of {} trials have failed or pending runs", row->tuned->open, row->tuned->trials);
        continue;
      }
      const auto& cell = row->cells[static_cast<std::size_t>(column - table.columns.begin())];
      if (const auto p_worse = check_cell(cell, kept, kept.at("direction") != "higher", check)) {
        tested.push_back(checks.size() - 1);
        p.push_back(*p_worse);
      }
    }
  }
  const auto adjusted = holm(p);
  for (std::size_t i = 0; i < tested.size(); ++i) {
    if (adjusted[i] >= kSignificanceLevel) continue;
    auto& check = checks[tested[i]];
    check.verdict = GateVerdict::kRegression;
    check.reason = by_t("worse by more than the tolerance", p[i], check.difference->test);
  }
  return checks;
}

}  // namespace assay::compare
