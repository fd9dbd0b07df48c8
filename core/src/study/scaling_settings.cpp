#include "study/scaling_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "document/key_path.h"
#include "document/parse.h"
#include "schema/data_paths.h"
#include "schema/resolve.h"
#include "schema/section_keys.h"
#include "schema/sections.h"

namespace assay::study {
namespace {

using nlohmann::json;

const std::vector<std::string> kApproaches{"parametric", "isoflop", "envelope"};

// Reads keys that were resolved; a key with an error is absent, and the error is reported already.
class ScalingReader {
 public:
  ScalingReader(const document::Node& node, document::Diagnostics& diagnostics)
      : table_(*node.as<document::Table>()), position_(node.position), diagnostics_(diagnostics) {
    const schema::Catalogue none;
    schema::PathFinder no_paths;
    section_ =
        schema::Resolver(none, no_paths, diagnostics).section(node, schema::section_parameters("scaling"), "[scaling]");
  }

  ScalingSettings settings() {
    ScalingSettings settings;
    settings.metric = {text("metric"), place("metric")};
    for (const auto& axis : texts("by"))
      settings.by.push_back(document::short_name(document::canonical_path(document::split_key(axis))));
    settings.by_position = place("by");
    read_approaches(settings);
    settings.least_absolute = text("loss") == "lad";
    settings.delta = number("delta", settings.delta);
    settings.tolerance = number("tolerance", settings.tolerance);
    settings.exclude_highest = whole("exclude_highest", settings.exclude_highest);
    read_grid(settings.grid);
    settings.bootstrap = whole("bootstrap", settings.bootstrap);
    settings.seed = static_cast<std::uint32_t>(whole("seed", 0));
    if (settings.bootstrap > 0 && !table_.find("seed"))
      diagnostics_.add(position_,
                       "[scaling] needs 'seed': intervals come from resamples that it draws; set seed to a number, or "
                       "bootstrap = 0 for no intervals");
    if (text("scheme") == "subset") {  // as the paper's: 100 subsets of 80%
      settings.subset_fraction = number("subset_fraction", 0.8);
      if (!table_.find("bootstrap")) settings.bootstrap = 100;
    }
    if (const auto flops = text("flops"); !flops.empty()) settings.flops = flops;
    settings.non_embedding = text("count_n") == "non_embedding";
    settings.smoothing_window = number("smoothing_window", settings.smoothing_window);
    settings.envelope_points = whole("envelope_points", settings.envelope_points);
    settings.budgets = flops("budgets");
    settings.window = number("window", settings.window);
    settings.at = flops("at");
    return settings;
  }

 private:
  document::Position place(const char* key) const {
    const auto* node = table_.find(key);
    return node ? node->position : position_;
  }
  std::string text(const char* key) const {
    return section_.contains(key) && section_[key].is_string() ? section_[key].get<std::string>() : "";
  }
  double number(const char* key, double otherwise) const {
    return section_.contains(key) && section_[key].is_number() ? section_[key].get<double>() : otherwise;
  }
  std::int64_t whole(const char* key, std::int64_t otherwise) const {
    return section_.contains(key) && section_[key].is_number_integer() ? section_[key].get<std::int64_t>() : otherwise;
  }
  std::vector<std::string> texts(const char* key) const {
    return section_.contains(key) && section_[key].is_array() ? section_[key].get<std::vector<std::string>>()
                                                              : std::vector<std::string>{};
  }

  std::vector<double> flops(const char* key) {
    if (!section_.contains(key) || !section_[key].is_array()) return {};
    auto values = section_[key].get<std::vector<double>>();
    if (std::any_of(values.begin(), values.end(), [](double value) { return !(value > 0); }))
      diagnostics_.add(place(key), fmt::format("'{}' of [scaling] must be FLOPs above 0", key));
    return values;
  }

  void read_approaches(ScalingSettings& settings) {
    const auto given = texts("approaches");
    if (given.empty()) return;
    for (const auto& name : given)
      if (std::find(kApproaches.begin(), kApproaches.end(), name) == kApproaches.end())
        diagnostics_.add(
            place("approaches"),
            fmt::format("'{}' is not a valid approach; the approaches are parametric, isoflop and envelope", name));
    const auto has = [&](const std::string& name) {
      return std::find(given.begin(), given.end(), name) != given.end();
    };
    settings.parametric = has("parametric");
    settings.isoflop = has("isoflop");
    settings.envelope = has("envelope");
  }

  void read_grid(ScalingGrid& grid) {
    const auto* node = table_.find("grid");
    if (!node || !node->is_table()) return;
    schema::check_section_keys(*node, "grid", "'grid' of [scaling]", diagnostics_);
    const auto values = document::to_json(*node);
    for (const auto& [name, list] : {std::pair("alpha", &grid.alpha), std::pair("beta", &grid.beta),
                                     std::pair("e", &grid.e), std::pair("a", &grid.a), std::pair("b", &grid.b)}) {
      if (!values.contains(name)) continue;
      if (values[name].is_array())
        for (const auto& value : values[name])
          if (value.is_number()) list->push_back(value.get<double>());
      if (list->empty())
        diagnostics_.add(node->position,
                         fmt::format("'{}' of 'grid' must be a list of numbers with at least one", name));
    }
  }

  const document::Table& table_;
  document::Position position_;
  document::Diagnostics& diagnostics_;
  json section_;
};

}  // namespace

std::optional<ScalingSettings> read_scaling(const document::Node& document, document::Diagnostics& diagnostics) {
  const auto* node = document.as<document::Table>()->find("scaling");
  if (!node || !node->is_table()) return std::nullopt;
  auto settings = ScalingReader(*node, diagnostics).settings();
  if (settings.metric.name.empty())
    diagnostics.add(node->position,
                    "[scaling] needs 'metric', the loss in nats per token; for instance \"lm.nll@length=64\"");
  return settings;
}

void check_scaling(const ScalingSettings& settings, const std::vector<record::PlanLine>& plan_lines,
                   const std::vector<document::KeyPath>& narrowed, document::Diagnostics& diagnostics) {
  check_metric(settings.metric, plan_lines, diagnostics);
  check_axes(settings.by, "'by' of [scaling]:", settings.by_position, plan_lines, narrowed, diagnostics);
}

ScalingSettings scaling_settings_of(const std::vector<std::string>& assignments) {
  document::Diagnostics diagnostics;
  document::Table table;
  for (const auto& assignment : assignments) {
    const document::Position position{std::make_shared<const std::string>(assignment), 0, 0};
    const auto equals = assignment.find('=');
    table.set(assignment.substr(0, equals), position,
              document::parse_argument_value(assignment.substr(equals + 1), position, diagnostics));
  }
  const document::Position position{std::make_shared<const std::string>("assay scaling fit"), 0, 0};
  const auto settings = ScalingReader({std::move(table), position}, diagnostics).settings();
  diagnostics.throw_if_any();
  return settings;
}

}  // namespace assay::study
