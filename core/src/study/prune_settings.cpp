#include "study/prune_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "schema/data_paths.h"
#include "schema/resolve.h"
#include "schema/sections.h"

namespace assay::study {
using nlohmann::json;

std::optional<PruneSettings> read_prune(const document::Node& document, document::Diagnostics& diagnostics) {
  const auto* node = document.as<document::Table>()->find("prune");
  if (!node || !node->is_table()) return std::nullopt;
  const schema::Catalogue none;
  schema::PathFinder no_paths;
  const auto section =
      schema::Resolver(none, no_paths, diagnostics).section(*node, schema::section_parameters("prune"), "[prune]");
  PruneSettings settings;
  settings.metric_position = settings.rungs_position = node->position;
  if (const auto* metric = node->as<document::Table>()->find("metric")) settings.metric_position = metric->position;
  if (const auto* rungs = node->as<document::Table>()->find("rungs")) settings.rungs_position = rungs->position;
  if (section.contains("metric") && section["metric"].is_string()) settings.metric = section["metric"];
  if (section.contains("keep") && section["keep"].is_number()) settings.keep = section["keep"];
  const auto rungs = section.value("rungs", json::array());
  for (const auto& rung : rungs.is_array() ? rungs : json::array()) {
    const auto duration = rung.is_string() ? base::parse_duration(rung.get<std::string>()) : std::nullopt;
    if (!duration || duration->amount == 0) {
      diagnostics.add(settings.rungs_position,
                      fmt::format("{} is not a valid rung; a rung must be a {}", rung.dump(), base::kDurationForm));
      continue;
    }
    settings.rungs.push_back(*duration);
  }
  return settings;
}

int64_t rung_step(const PruneSettings& settings, size_t rung, const record::PlanLine& plan_line) {
  const auto step = settings.rungs.at(rung).steps(plan_line.steps(), plan_line.tokens_per_step());
  return step < plan_line.steps() ? step : 0;
}

std::vector<std::string> rounding_notes(const PruneSettings& settings,
                                        const std::vector<record::PlanLine>& plan_lines) {
  std::set<std::string> notes;
  for (const auto& line : plan_lines)
    for (const auto& rung : settings.rungs)
      if (const auto note = base::rounding_note(rung, line.steps(), line.tokens_per_step()); !note.empty())
        notes.insert("[prune] rungs: " + note);
  return {notes.begin(), notes.end()};
}

void check_prune(const PruneSettings& settings, const std::vector<record::PlanLine>& plan_lines,
                 document::Diagnostics& diagnostics) {
  const auto label = settings.metric.substr(0, settings.metric.find('.'));
  for (const auto& line : plan_lines) {
    int64_t before = 0;
    std::string name_before;
    for (size_t rung = 0; rung < settings.rungs.size(); ++rung) {
      const auto step = rung_step(settings, rung, line);
      const auto name = base::text_of(settings.rungs[rung]);
      if (step == 0)
        diagnostics.add(settings.rungs_position, fmt::format("the rung {} must be before the end of every run", name));
      else if (step <= before)
        diagnostics.add(settings.rungs_position,
                        fmt::format("the rung {} (step {}) must be after the previous rung {} (step {})", name, step,
                                    name_before, before));
      before = step;
      name_before = name;
      if (step == 0 || settings.metric == "loss") continue;
      const auto& evaluations = line.evaluate;
      const auto found = std::ranges::find(evaluations, label, &record::PlannedEvaluation::label);
      if (found == evaluations.end()) {
        diagnostics.add(
            settings.metric_position,
            fmt::format("metric '{}' must be \"loss\" or <evaluator>.<name> of an [[evaluate]] that every run has",
                        settings.metric));
      } else if (const auto every = found->every; every == 0 || step % every != 0) {
        diagnostics.add(settings.rungs_position,
                        fmt::format("at the rung {} (step {}), '{}' is not evaluated, because its 'every' is {}", name,
                                    step, label, every == 0 ? "not set" : fmt::format("{} steps", every)));
      }
    }
  }
}

}  // namespace assay::study
