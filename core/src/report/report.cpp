#include "report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "compare/formats/cell_text.h"
#include "compare/formats/format.h"
#include "compare/formats/format_claims.h"
#include "record/plan_line/plan_lines.h"
#include "record/run_status.h"
#include "record/skipped_steps.h"
#include "report/configuration.h"
#include "report/curves.h"
#include "report/examples.h"
#include "report/failures.h"
#include "study/partners.h"

namespace assay::report {
namespace {

using Json = nlohmann::ordered_json;
using Lines = std::vector<record::PlanLine>;

constexpr std::size_t kMaxPoints = 200;  // a plot is about 700 pixels wide
constexpr std::size_t kMaxLogLines = 20;
constexpr std::size_t kMaxExamples = 8;

// The table as `assay compare --format json` prints it, the cells as they are printed for people, and the sort keys of
// the rows.
Json table_json(const compare::Table& table) {
  auto json = Json::parse(compare::format_json(table));
  json["grid"] = compare::text_grid(table);
  json["tuned"] = compare::tuned_grid(table);
  json["comparison"] = compare::comparison_grid(table);
  json["sort_keys"] = Json::array();
  for (const auto& row : table.rows) {
    auto keys = Json::array({compare::row_label(row)});
    for (const auto& cell : row.cells) keys.push_back(cell.summary.n > 0 ? Json(cell.summary.mean) : Json(nullptr));
    keys.push_back(row.count.present);
    json["sort_keys"].push_back(keys);
  }
  return json;
}

// Six digits resolve a thousandth of a pixel and halve the size of the page.
double drawn(double value) { return std::stod(fmt::format("{:.6g}", value)); }

Json curve_json(const Curve& curve) {
  Json json = {{"group", curve.group}, {"logged_steps", curve.logged_steps}};
  for (const char* key : {"step", "mean", "half_width", "n"}) json[key] = Json::array();
  for (const auto& point : curve.points) {
    json["step"].push_back(point.step);
    json["mean"].push_back(drawn(point.summary.mean));
    json["half_width"].push_back(point.summary.half_width ? Json(drawn(*point.summary.half_width)) : Json(nullptr));
    json["n"].push_back(point.summary.n);
  }
  return json;
}

Json claims_json(const compare::Judgement& judgement) {
  auto verdicts = Json::array();
  for (const auto& claim : judgement.claims) {
    std::vector<std::string> details{compare::claim_statement(claim)};
    for (const auto& line : compare::claim_lines(claim, judgement.level)) details.push_back(line);
    verdicts.push_back({{"verdict", compare::name_of(claim.verdict)},
                        {"says", claim.says},
                        {"source", claim.source},
                        {"details", details}});
  }
  return {{"verdicts", verdicts},
          {"captions", verdicts.empty() ? std::vector<std::string>() : compare::claim_captions(judgement)}};
}

// One line per group of the plan; the table may have fewer rows, each the best of several.
Lines line_of_each_group(const Lines& lines) {
  Lines found;
  for (const auto* line : study::first_lines(lines)) found.push_back(*line);
  return found;
}

Json groups_json(const compare::Table& table, const Lines& groups) {
  auto json = Json::array();
  for (const auto& line : groups) {
    const auto row = std::find_if(table.rows.begin(), table.rows.end(),
                                  [&](const compare::Row& one) { return one.group == line.group; });
    json.push_back(
        {{"label", line.label.empty() ? "all" : line.label},
         {"group", line.group},
         {"baseline", row != table.rows.end() && row->baseline},
         {"incomplete",
          row != table.rows.end() && compare::lacks_values(row->count) ? compare::count_text(row->count) : ""}});
  }
  return json;
}

Json curves_json(const Lines& groups, const Lines& lines, const record::ExperimentLayout& experiment, RunLogs& logs) {
  std::vector<std::filesystem::path> files;
  for (const auto& line : lines) files.push_back(experiment.run(line.train_id).events());
  logs.refresh(files);
  std::map<std::string, std::size_t> place_of;
  for (const auto& line : groups) place_of.try_emplace(line.group, place_of.size());
  std::vector<std::vector<const RunLog*>> logs_of(groups.size());
  for (std::size_t i = 0; i < lines.size(); ++i) logs_of[place_of.at(lines[i].group)].push_back(&logs.of(files[i]));
  Json json = {{"most_points", kMaxPoints}, {"families", Json::array()}};
  for (const auto& family : learning_curves(logs_of, kMaxPoints)) {
    auto curves = Json::array();
    for (const auto& curve : family.curves) curves.push_back(curve_json(curve));
    json["families"].push_back(
        {{"name", family.name}, {"unit", family.unit}, {"direction", family.direction}, {"curves", curves}});
  }
  return json;
}

Json configuration_json(const Lines& groups) {
  const auto configurations = compare_configurations(groups);
  auto common = Json::array();
  for (const auto& [key, value] : configurations.common) common.push_back({key, value});
  return {{"keys", configurations.keys}, {"values", configurations.values}, {"common", common}};
}

Json failures_json(const Lines& lines, const record::ExperimentLayout& experiment) {
  auto json = Json::array();
  for (const auto& failure : failures_of(lines, experiment, kMaxLogLines))
    json.push_back({{"label", failure.label},
                    {"seed", failure.seed},
                    {"train_id", failure.train_id},
                    {"class", failure.failure_class},
                    {"reason", failure.reason},
                    {"ending", failure.ending},
                    {"log", failure.last_lines}});
  return json;
}

Json skipped_json(const Lines& lines, const record::ExperimentLayout& experiment) {
  auto json = Json::array();
  for (const auto& line : lines)
    if (const auto steps = record::skipped_steps_of(experiment.run(line.train_id)); steps.skipped > 0)
      json.push_back({{"label", line.label}, {"seed", line.seed}, {"text", record::text_of(steps)}});
  return json;
}

Json examples_json(const Lines& lines, const record::ExperimentLayout& experiment) {
  auto json = Json::array();
  for (const auto& written : written_examples(lines, experiment, kMaxExamples))
    json.push_back(
        {{"label", written.label}, {"seed", written.seed}, {"columns", written.columns}, {"rows", written.rows}});
  return json;
}

Json status_json(const Lines& lines, const record::ExperimentLayout& experiment) {
  std::map<record::RunStatus, int> count;
  for (const auto& line : lines) ++count[record::run_status(line, experiment.run(line.train_id)).status];
  Json json = {{"planned", lines.size()}};
  for (const auto& [status, runs] : count) json[record::name_of(status)] = runs;
  return json;
}

}  // namespace

Json report_data(const compare::Table& table, const compare::Judgement& judgement,
                 const record::ExperimentLayout& experiment, RunLogs& logs) {
  const auto lines = record::read_plan_lines(experiment.plan());
  const auto groups = line_of_each_group(lines);
  return {{"experiment", table.experiment},
          {"status", status_json(lines, experiment)},
          {"table", table_json(table)},
          {"claims", claims_json(judgement)},
          {"groups", groups_json(table, groups)},
          {"curves", curves_json(groups, lines, experiment, logs)},
          {"configuration", configuration_json(groups)},
          {"failures", failures_json(lines, experiment)},
          {"skipped", skipped_json(lines, experiment)},
          {"examples", examples_json(lines, experiment)}};
}

}  // namespace assay::report
