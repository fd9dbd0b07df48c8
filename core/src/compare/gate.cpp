#include "compare/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "assay/error.h"
#include "compare/families.h"

namespace assay {
namespace {

using nlohmann::json;

constexpr std::size_t kFewest = 3;  // with two, a t interval is twelve standard errors wide

SeedValues kept_values(const json& metric) {
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

double tolerated(const Tolerances& tolerances, const std::string& metric, double kept_mean) {
  for (const auto& name : {metric, metric.substr(0, metric.find('@')), std::string()})
    if (const auto found = tolerances.find(name); found != tolerances.end())
      return found->second.relative ? found->second.amount * std::abs(kept_mean) : found->second.amount;
  return 0;
}

std::set<std::int64_t> seeds_of(const SeedValues& values) {
  std::set<std::int64_t> seeds;
  for (const auto& [seed, value] : values) seeds.insert(seed);
  return seeds;
}

// Settles what needs no test; p of a regression where one was made.
std::optional<double> check_cell(const Cell& cell, const json& kept, bool lower_is_better, GateCheck& check) {
  auto now = cell.values;
  auto before = kept_values(kept);
  for (auto* values : {&now, &before})
    for (auto& [seed, value] : *values) value = lower_is_better ? value : -value;
  const auto kept_seeds = seeds_of(before);
  const auto lost = std::count_if(cell.diverged.begin(), cell.diverged.end(),
                                  [&](std::int64_t seed) { return kept_seeds.count(seed) > 0; });
  if (lost > 0) {
    check.verdict = GateVerdict::kRegression;
    check.reason = fmt::format("{} of {} runs diverged that had a value", lost, before.size());
    return std::nullopt;
  }
  const auto& count = cell.count;
  if (count.missing + count.failed > 0) {  // those that are there may be the lucky ones
    check.reason = fmt::format("{} of {} runs have no value now", count.missing + count.failed, count.planned);
    return std::nullopt;
  }
  const bool same_seeds = seeds_of(now) == kept_seeds;
  check.difference = difference_of(now, before, same_seeds);
  if (same_seeds && !now.empty()) {
    const auto [a, b] = partners_by_seed(now, before);
    bool worse = false;
    for (std::size_t i = 0; i < a.size(); ++i) worse |= a[i] > b[i];
    if (!worse) {
      check.verdict = GateVerdict::kFine;
      check.reason = "no seed is worse";
      return std::nullopt;
    }
  }
  if (!check.difference || std::min(check.difference->test.n_left, check.difference->test.n_right) < kFewest) {
    check.reason = fmt::format("too few seeds: {} now, {} kept, at least {} each", now.size(), before.size(), kFewest);
    return std::nullopt;
  }
  if (p_less(check.difference->test, check.tolerance) < kSignificanceLevel) {
    check.verdict = GateVerdict::kFine;
    check.reason = "below the tolerance";
    return std::nullopt;
  }
  check.reason = "neither below nor above the tolerance for certain";
  return p_greater(check.difference->test, check.tolerance);
}

}  // namespace

Tolerance read_tolerance(const std::string& text) {
  Tolerance tolerance;
  auto number = text;
  if (number.ends_with('%')) {
    tolerance.relative = true;
    number.pop_back();
  }
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), tolerance.amount);
  if (error != std::errc() || end != number.data() + number.size() || !(tolerance.amount >= 0) ||
      !std::isfinite(tolerance.amount))
    throw UserError(
        fmt::format("tolerance '{}': a number from 0 on in the metric's unit, or a share such as 1%", text));
  if (tolerance.relative) tolerance.amount /= 100;
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
      metrics[column.name] = {{"direction", column.direction}, {"values", values}};
    }
    baseline["rows"].push_back({{"label", row.label}, {"axes", row.axes}, {"metrics", metrics}});
  }
  baseline["provenance"] = json::object();
  for (const auto& [name, value] : table.provenance) baseline["provenance"][name] = value;
  return baseline;
}

json read_gate_baseline(const std::string& text, const std::string& file) {
  const auto baseline = json::parse(text, nullptr, /*allow_exceptions=*/false);
  try {
    if (baseline.at("schema") != 1) throw UserError(file + ": a gate's baseline of another schema; this assay reads 1");
    for (const auto& row : baseline.at("rows")) {
      row.at("axes").get<std::map<std::string, std::string>>();
      for (const auto& [metric, kept] : row.at("metrics").items()) {
        kept.at("direction").get<std::string>();
        kept_values(kept);
      }
    }
    tolerances_of(baseline);
  } catch (const std::exception& error) {
    if (dynamic_cast<const UserError*>(&error)) throw;
    throw UserError(fmt::format("{}: not a gate's baseline ({}); --update writes one", file, error.what()));
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
  for (const auto& kept_row : baseline.at("rows")) {
    const auto axes = kept_row.at("axes").get<std::map<std::string, std::string>>();
    const auto row =
        std::find_if(table.rows.begin(), table.rows.end(), [&](const Row& one) { return one.axes == axes; });
    for (const auto& [metric, kept] : kept_row.at("metrics").items()) {
      auto& check = checks.emplace_back();
      check.row = kept_row.value("label", "");
      check.metric = metric;
      check.tolerance = tolerated(tolerances, metric, mean_of(kept_values(kept)));
      const auto& name = metric;
      const auto column =
          std::find_if(table.columns.begin(), table.columns.end(), [&](const Column& one) { return one.name == name; });
      if (row == table.rows.end() || column == table.columns.end()) {
        check.reason = row == table.rows.end() ? "there is no such row now" : "there is no such metric now";
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
    checks[tested[i]].verdict = GateVerdict::kRegression;
    checks[tested[i]].reason = "worse by more than the tolerance";
  }
  return checks;
}

}  // namespace assay
