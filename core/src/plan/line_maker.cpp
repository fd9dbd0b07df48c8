#include "plan/line_maker.h"

#include "base/sha256.h"
#include "plan/experiment_name.h"
#include "plan/identity.h"
#include "record/plan_line/run_input.h"

namespace assay::plan {
namespace {

using nlohmann::json;

// For objective.simctg.margin: whether simctg is disabled.
bool is_switched_off(const document::KeyPath& path, const document::Node& document) {
  if (path.size() < 3 || !document::is_labelled_section(path[0]) || path[2] == "enabled") return false;
  const auto* enabled = document::find_path(document, {path[0], path[1], "enabled"});
  return enabled && enabled->as<bool>() && !*enabled->as<bool>();
}

record::PlannedPlugins plugins_of(const RunConfig& config, const schema::Catalogue& catalogue) {
  record::PlannedPlugins plugins;
  for (const auto& [component, roles] : config.used) {
    const auto& [kind, name] = component;
    auto& planned = plugins[kind + "/" + name] = planned_plugin(*catalogue.find(kind, name).plugin);
    planned.roles = roles;
    for (const auto* other : catalogue.shadowed(kind, name))
      planned.shadows.push_back({other->name, other->version, other->file, other->sha256});
  }
  return plugins;
}

// What the configuration resolved to, which nothing is wrong with any more.
record::TrainConfig train_of(json resolved) {
  resolved["seeds"] = {{"init", 0}, {"data", 0}};  // until a line is made
  return record::TrainConfig::from_json(std::move(resolved), "train");
}

}  // namespace

std::string group_of(const RunConfig& config) { return group_id(config.train); }

record::PlannedPlugin planned_plugin(const schema::PluginFile& plugin) {
  return {.plugin = plugin.name,
          .version = plugin.version,
          .file = plugin.file,
          .sha256 = plugin.sha256,
          .build_id = plugin.build_id,
          .roles = {},
          .shadows = {}};
}

void describe_choices(const std::vector<sweep::Choice>& choices, const document::Node& document, Group& group) {
  group.axes = json::object();
  for (const auto& choice : choices) {
    if (is_switched_off(choice.path, document)) continue;
    group.axes[choice.axis] = choice.shown;
    group.label += (group.label.empty() ? "" : " ") + choice.axis + "=" + choice.text;
  }
}

LineMaker::LineMaker(std::string experiment, const std::string& file, const document::Document& document,
                     const schema::Catalogue& catalogue)
    : experiment_(std::move(experiment)), document_(document), catalogue_(catalogue) {
  std::string all;
  for (const auto& source : document.sources) all += source.text;
  source_ = {.file = source_name(file), .sha256 = base::sha256(all)};
}

void LineMaker::add_lines(const Group& group, const std::vector<sweep::Seed>& seeds,
                          std::vector<record::PlanLine>& lines) const {
  const auto& config = group.config;
  record::PlanLine shared{.experiment = experiment_,
                          .train_id = {},
                          .group = group.id,
                          .label = group.label.empty() ? experiment_ : group.label,
                          .axes = group.axes,
                          .data_id = {},
                          .train = train_of(config.train),
                          .evaluate = {},
                          .trackers = record::listed_from_json(config.trackers, "trackers"),
                          .exchanges = record::listed_from_json(config.exchanges, "exchanges"),
                          .resources = record::Resources::from_json(config.resources, "resources"),
                          .budget = record::Budget::from_json(config.budget, "budget"),
                          .log_every = config.log_every,
                          .checkpoint = record::CheckpointSettings::from_json(config.checkpoint, "checkpoint"),
                          .plugins = plugins_of(config, catalogue_),
                          .source = source_};
  // Parts without an input that depends on the seed are made canonical once.
  const bool has_inputs = !record::inputs_in(shared.train).empty();
  SeededIds ids(config.train);
  std::vector<std::string> evaluations;
  for (const auto& evaluation : config.evaluations) {
    const bool is_open = !record::inputs_in(evaluation.config).empty();
    evaluations.push_back(is_open ? "" : canonical_evaluation(evaluation.config, evaluation.split));
    shared.evaluate.push_back({evaluation.label, {}, evaluation.every, evaluation.config, evaluation.split});
  }
  for (const auto& seed : seeds) {
    auto& line = lines.emplace_back(shared);
    if (has_inputs) {
      record::for_each_config(line.train, [&](json& one) { one = record::with_inputs_for_seed(one, seed.shown); });
      ids = SeededIds(line.train.to_json());
    }
    line.train.seeds = {seed.init, seed.data};
    line.train_id = ids.train_id({{"init", seed.init}, {"data", seed.data}});
    line.seed = seed.shown;
    line.data_id = ids.data_id(seed.data);
    for (size_t i = 0; i < evaluations.size(); ++i) {
      auto& evaluation = line.evaluate[i];
      if (evaluations[i].empty()) {
        evaluation.config = record::with_inputs_for_seed(evaluation.config, seed.shown);
        evaluation.id = eval_id(line.train_id, evaluation.config, evaluation.split);
      } else {
        evaluation.id = eval_id(line.train_id, evaluations[i]);
      }
    }
  }
}

std::string LineMaker::source_text() const {
  std::string text = document_.sources.back().text;
  for (size_t i = 0; i + 1 < document_.sources.size(); ++i) {
    const auto& source = document_.sources[i];
    if (!text.empty() && text.back() != '\n') text += '\n';
    text += "\n# --- extended: " + source.name + "\n# ";
    for (const char c : source.text) text += c == '\n' ? "\n# " : std::string(1, c);
    text += '\n';
  }
  return text;
}

}  // namespace assay::plan
