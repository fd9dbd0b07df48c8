#include "plan/line_maker.h"

#include "base/sha256.h"
#include "plan/experiment_name.h"
#include "plan/identity.h"
#include "record/run_input.h"

namespace assay::plan {
namespace {

using nlohmann::json;

// For objective.simctg.margin: whether simctg is disabled.
bool is_switched_off(const document::KeyPath& path, const document::Node& document) {
  if (path.size() < 3 || !document::is_labelled_section(path[0]) || path[2] == "enabled") return false;
  const auto* enabled = document::find_path(document, {path[0], path[1], "enabled"});
  return enabled && enabled->as<bool>() && !*enabled->as<bool>();
}

json plugins_of(const RunConfig& config, const schema::Catalogue& catalogue) {
  auto plugins = json::object();
  for (const auto& [component, roles] : config.used) {
    const auto& [kind, name] = component;
    const auto found = catalogue.find(kind, name);
    plugins[kind + "/" + name] = {{"plugin", found.plugin->name},       {"version", found.plugin->version},
                                  {"file", found.plugin->file},         {"sha256", found.plugin->sha256},
                                  {"build_id", found.plugin->build_id}, {"roles", roles}};
    for (const auto* other : catalogue.shadowed(kind, name))
      plugins[kind + "/" + name]["shadows"].push_back(
          {{"plugin", other->name}, {"version", other->version}, {"file", other->file}, {"sha256", other->sha256}});
  }
  return plugins;
}

}  // namespace

std::string group_of(const RunConfig& config) { return group_id(config.train); }

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
  source_ = {{"file", source_name(file)}, {"sha256", base::sha256(all)}};
}

void LineMaker::add_lines(const Group& group, const std::vector<sweep::Seed>& seeds, std::vector<json>& lines) const {
  json shared = {{"schema", 1},
                 {"experiment", experiment_},
                 {"group", group.id},
                 {"label", group.label.empty() ? experiment_ : group.label},
                 {"axes", group.axes},
                 {"train", group.config.train},
                 {"trackers", group.config.trackers},
                 {"resources", group.config.resources},
                 {"budget", group.config.budget},
                 {"log_every", group.config.log_every},
                 {"checkpoint", group.config.checkpoint},
                 {"plugins", plugins_of(group.config, catalogue_)},
                 {"source", source_}};
  if (!group.config.exchanges.empty()) shared["exchanges"] = group.config.exchanges;
  // Parts without an input that depends on the seed are made canonical once.
  const bool has_inputs = !record::inputs_in(group.config.train).empty();
  SeededIds ids(group.config.train);
  std::vector<std::string> evaluations;
  shared["evaluate"] = json::array();
  for (const auto& evaluation : group.config.evaluations) {
    const bool is_open = !record::inputs_in(evaluation.config).empty();
    evaluations.push_back(is_open ? "" : canonical_evaluation(evaluation.config, evaluation.split));
    shared["evaluate"].push_back({{"label", evaluation.label},
                                  {"every", evaluation.every},
                                  {"config", evaluation.config},
                                  {"split", evaluation.split}});
  }
  for (const auto& seed : seeds) {
    auto& line = lines.emplace_back(shared);
    if (has_inputs) {
      line["train"] = record::with_inputs_of(line["train"], seed.shown);
      ids = SeededIds(line["train"]);
    }
    const json both = {{"init", seed.init}, {"data", seed.data}};
    line["train"]["seeds"] = both;
    const auto id = ids.train_id(both);
    line["train_id"] = id;
    line["seed"] = seed.shown;
    line["data_id"] = ids.data_id(seed.data);
    for (size_t i = 0; i < evaluations.size(); ++i) {
      auto& evaluation = line["evaluate"][i];
      if (evaluations[i].empty()) {
        evaluation["config"] = record::with_inputs_of(evaluation["config"], seed.shown);
        evaluation["id"] = eval_id(id, evaluation["config"], evaluation.at("split"));
      } else {
        evaluation["id"] = eval_id(id, evaluations[i]);
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

std::string plan_text(const json& line) { return line.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace assay::plan
