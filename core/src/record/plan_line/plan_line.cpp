#include "record/plan_line/plan_line.h"

#include <fmt/format.h>

#include "assay/error.h"
#include "record/plan_line/members.h"
#include "record/plan_line/run_input.h"

namespace assay::record {
namespace {

using nlohmann::json;

PlannedEvaluation evaluation_of(json& value, const std::string& where) {
  Members members(value, where);
  PlannedEvaluation one;
  members.read("label", one.label);
  members.read("id", one.id);
  members.read("every", one.every);
  one.config = members.component("config");
  members.read("split", one.split);
  members.end();
  return one;
}

ShadowedPlugin shadowed(json& value, const std::string& where) {
  Members members(value, where);
  ShadowedPlugin one;
  members.read("plugin", one.plugin);
  members.read("version", one.version);
  members.read("file", one.file);
  members.read("sha256", one.sha256);
  members.end();
  return one;
}

PlannedPlugin plugin_of(json& value, const std::string& where) {
  Members members(value, where);
  PlannedPlugin one;
  members.read("plugin", one.plugin);
  members.read("version", one.version);
  members.read("file", one.file);
  members.read("sha256", one.sha256);
  members.read("build_id", one.build_id);
  members.read_if_there("roles", one.roles);
  if (auto* shadows = members.find_list("shadows"))
    for (size_t i = 0; i < shadows->size(); ++i)
      one.shadows.push_back(shadowed((*shadows)[i], nth(members.path("shadows"), i)));
  members.end();
  return one;
}

PlanOrigin origin_of(json& value, const std::string& where) {
  Members members(value, where);
  PlanOrigin source;
  members.read("file", source.file);
  members.read("sha256", source.sha256);
  members.read("git_commit", source.git_commit);
  members.read("git_dirty", source.git_dirty);
  members.end();
  return source;
}

}  // namespace

MeshConfig MeshConfig::from_json(json value, const std::string& where) {
  Members members(value, where);
  MeshConfig mesh;
  members.read("tensor", mesh.tensor);
  members.read("data", mesh.data);
  members.read_if_there("sequence_parallel", mesh.sequence_parallel);
  if (mesh.ranks() > 1) mesh.backend = "threads";
  members.read_if_there("backend", mesh.backend);
  members.read("check_calls", mesh.check_calls);
  members.read("mpirun", mesh.mpirun);
  members.end();
  return mesh;
}

json MeshConfig::to_json() const {
  json value = {{"tensor", tensor}, {"data", data}, {"sequence_parallel", sequence_parallel}, {"backend", backend}};
  put(value, "check_calls", check_calls);
  put(value, "mpirun", mpirun);
  return value;
}

Resources Resources::from_json(json value, const std::string& where) {
  Members members(value, where);
  Resources resources;
  resources.mesh = MeshConfig::from_json(std::move(members.object("mesh")), members.path("mesh"));
  members.read("device", resources.device);
  members.read("threads", resources.threads);
  members.read("micro_batch", resources.micro_batch);
  members.read("check_replicas_every", resources.check_replicas_every);
  members.end();
  return resources;
}

json Resources::to_json() const {
  json value = {{"mesh", mesh.to_json()}, {"device", device}, {"threads", threads}, {"micro_batch", micro_batch}};
  put(value, "check_replicas_every", check_replicas_every);
  return value;
}

json PlannedEvaluation::to_json() const {
  return {{"label", label}, {"id", id}, {"every", every}, {"config", config}, {"split", split}};
}

Budget Budget::from_json(json value, const std::string& where) {
  Members members(value, where);
  Budget budget;
  members.read("kind", budget.kind);
  members.read("target", budget.target);
  members.end();
  return budget;
}

json Budget::to_json() const {
  const bool whole = kind == "steps" || kind == "tokens";
  return {{"kind", kind}, {"target", whole ? json(static_cast<std::int64_t>(target)) : json(target)}};
}

CheckpointSettings CheckpointSettings::from_json(json value, const std::string& where) {
  Members members(value, where);
  CheckpointSettings checkpoint;
  members.read("every", checkpoint.every);
  members.read("keep", checkpoint.keep);
  members.end();
  return checkpoint;
}

json PlannedPlugin::to_json() const {
  json value = {{"plugin", plugin}, {"version", version}, {"file", file}, {"sha256", sha256}};
  put(value, "build_id", build_id);
  if (!roles.empty()) value["roles"] = roles;
  for (const auto& other : shadows)
    value["shadows"].push_back(
        {{"plugin", other.plugin}, {"version", other.version}, {"file", other.file}, {"sha256", other.sha256}});
  return value;
}

PlannedPlugins plugins_from_json(json value, const std::string& where) {
  PlannedPlugins plugins;
  Members members(value, where);
  for (auto& [name, plugin] : value.items()) plugins[name] = plugin_of(plugin, members.path(name));
  return plugins;
}

json to_json(const PlannedPlugins& plugins) {
  auto value = json::object();
  for (const auto& [name, plugin] : plugins) value[name] = plugin.to_json();
  return value;
}

json PlanOrigin::to_json() const {
  json value = {{"file", file}, {"sha256", sha256}};
  put(value, "git_commit", git_commit);
  put(value, "git_dirty", git_dirty);
  return value;
}

PlanLine PlanLine::from_json(json value) {
  const auto is_text = [&](const char* key) { return value.contains(key) && value[key].is_string(); };
  if (!value.is_object() || !is_text("train_id") || !is_text("group"))
    throw UserError("the line is not a valid plan line, a JSON object with train_id and group");
  Members members(value, "");
  int schema = 0;
  members.read("schema", schema);
  if (schema != kSchema)
    throw UserError(fmt::format("the plan has schema {}, but this version of assay reads schema {}", schema, kSchema));
  PlanLine line;
  members.read("experiment", line.experiment);
  members.read("train_id", line.train_id);
  members.read("group", line.group);
  members.read("label", line.label);
  line.axes = std::move(members.object("axes"));
  members.read("seed", line.seed);
  members.read("data_id", line.data_id);
  line.train = TrainConfig::from_json(std::move(members.object("train")), "train");
  auto& evaluate = members.list("evaluate");
  for (size_t i = 0; i < evaluate.size(); ++i) line.evaluate.push_back(evaluation_of(evaluate[i], nth("evaluate", i)));
  line.trackers = listed_from_json(std::move(members.list("trackers")), "trackers");
  if (auto* exchanges = members.find_list("exchanges"))
    line.exchanges = listed_from_json(std::move(*exchanges), "exchanges");
  line.resources = Resources::from_json(std::move(members.object("resources")), "resources");
  line.budget.target = static_cast<double>(line.steps());  // of plans from before there were other kinds
  if (auto* budget = members.find("budget")) line.budget = Budget::from_json(std::move(*budget), "budget");
  members.read("log_every", line.log_every);
  line.checkpoint = CheckpointSettings::from_json(std::move(members.object("checkpoint")), "checkpoint");
  line.plugins = plugins_from_json(std::move(members.object("plugins")), "plugins");
  line.source = origin_of(members.object("source"), "source");
  members.end();
  return line;
}

json PlanLine::to_json() const {
  json value = {{"schema", kSchema},
                {"experiment", experiment},
                {"train_id", train_id},
                {"group", group},
                {"label", label},
                {"axes", axes},
                {"seed", seed},
                {"data_id", data_id},
                {"train", train.to_json()},
                {"evaluate", json::array()},
                {"trackers", record::to_json(trackers)},
                {"resources", resources.to_json()},
                {"budget", budget.to_json()},
                {"log_every", log_every},
                {"checkpoint", {{"every", checkpoint.every}, {"keep", checkpoint.keep}}},
                {"plugins", record::to_json(plugins)},
                {"source", source.to_json()}};
  for (const auto& one : evaluate) value["evaluate"].push_back(one.to_json());
  if (!exchanges.empty()) value["exchanges"] = record::to_json(exchanges);
  return value;
}

std::string PlanLine::text() const { return to_json().dump(-1, ' ', false, json::error_handler_t::replace); }

std::vector<json> inputs_in(const std::vector<PlannedEvaluation>& evaluations) {
  std::vector<json> all;
  for (const auto& one : evaluations)
    for (auto& input : inputs_in(one.config)) all.push_back(std::move(input));
  return all;
}

}  // namespace assay::record
