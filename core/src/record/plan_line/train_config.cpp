#include "record/plan_line/train_config.h"

#include "record/plan_line/members.h"
#include "record/plan_line/run_input.h"

namespace assay::record {
namespace {

using nlohmann::json;

// Takes the label out of an entry; the rest is the component's.
ListedComponent listed(json& entry, const std::string& where) {
  ListedComponent one;
  Members members(entry, where);
  one.label = entry.value("use", "");
  members.read_if_there("label", one.label);
  entry.erase("label");
  one.config = std::move(entry);
  return one;
}

ListedObjective objective(json& entry, const std::string& where) {
  ListedObjective one;
  Members(entry, where).read("weight", one.weight);
  entry.erase("weight");
  auto [label, config] = listed(entry, where);
  one.label = std::move(label);
  one.config = std::move(config);
  return one;
}

json objectives_json(const std::vector<ListedObjective>& objectives) {
  auto list = json::array();
  for (const auto& one : objectives) {
    auto& entry = list.emplace_back(one.config);
    entry["label"] = one.label;
    entry["weight"] = one.weight;
  }
  return list;
}

DataConfig data_config(json& value, const std::string& where) {
  Members members(value, where);
  DataConfig data;
  data.dataset = members.component("dataset");
  data.tokenizer = members.component("tokenizer");
  members.read("context", data.context);
  members.end();
  return data;
}

InitConfig init_config(json& value, const std::string& where) {
  Members members(value, where);
  InitConfig init;
  if (auto* from = members.find("from")) init.from = std::move(*from);
  if (auto* weights = members.find("weights")) init.weights = std::move(*weights);
  members.read_if_there("load", init.load);
  members.read("ignore", init.ignore);
  members.end();
  return init;
}

json init_json(const InitConfig& init) {
  json value = {{"load", init.load}};
  if (!init.from.is_null()) value["from"] = init.from;
  if (!init.weights.is_null()) value["weights"] = init.weights;
  put(value, "ignore", init.ignore);
  return value;
}

TrainSettings train_settings(json& value, const std::string& where) {
  Members members(value, where);
  TrainSettings train;
  members.read("steps", train.steps);
  members.read("batch", train.batch);
  members.read("clip_norm", train.clip_norm);
  members.read("precision", train.precision);
  members.read("non_finite", train.non_finite);
  members.read("skip_loss_z", train.skip_loss_z);
  members.read("skip_norm_z", train.skip_norm_z);
  members.end();
  return train;
}

json train_settings_json(const TrainSettings& train) {
  json value = {{"steps", train.steps},
                {"batch", train.batch},
                {"clip_norm", train.clip_norm},
                {"precision", train.precision},
                {"non_finite", train.non_finite}};
  put(value, "skip_loss_z", train.skip_loss_z);
  put(value, "skip_norm_z", train.skip_norm_z);
  return value;
}

Seeds seeds_of(json& value, const std::string& where) {
  Members members(value, where);
  Seeds seeds;
  members.read("init", seeds.init);
  members.read("data", seeds.data);
  members.end();
  return seeds;
}

template <class Train, class Visit>
void visit_configs(Train& train, const Visit& visit) {
  for (auto& one : train.callbacks) visit(one.config);
  visit(train.data.dataset);
  visit(train.data.tokenizer);
  if (train.init) {
    visit(train.init->from);
    visit(train.init->weights);
  }
  visit(train.model);
  for (auto& one : train.objectives) visit(one.config);
  visit(train.optimizer);
  visit(train.scheduler);
  for (auto& one : train.transforms) visit(one.config);
}

}  // namespace

std::vector<ListedComponent> listed_from_json(json entries, const std::string& where) {
  std::vector<ListedComponent> all;
  for (size_t i = 0; i < entries.size(); ++i) all.push_back(listed(entries[i], nth(where, i)));
  return all;
}

json to_json(const std::vector<ListedComponent>& entries) {
  auto list = json::array();
  for (const auto& one : entries) list.emplace_back(one.config)["label"] = one.label;
  return list;
}

TrainConfig TrainConfig::from_json(json value, const std::string& where) {
  Members members(value, where);
  TrainConfig train;
  train.data = data_config(members.object("data"), members.path("data"));
  train.model = members.component("model");
  auto& objectives = members.list("objectives");
  for (size_t i = 0; i < objectives.size(); ++i)
    train.objectives.push_back(objective(objectives[i], nth(members.path("objectives"), i)));
  train.transforms = listed_from_json(std::move(members.list("transforms")), members.path("transforms"));
  train.optimizer = members.component("optimizer");
  train.scheduler = members.component("scheduler");
  if (auto* callbacks = members.find_list("callbacks"))
    train.callbacks = listed_from_json(std::move(*callbacks), members.path("callbacks"));
  if (auto* init = members.find("init")) train.init = init_config(*init, members.path("init"));
  train.train = train_settings(members.object("train"), members.path("train"));
  train.seeds = seeds_of(members.object("seeds"), members.path("seeds"));
  members.end();
  return train;
}

json TrainConfig::section(const std::string& name) const {
  if (name == "callbacks" && !callbacks.empty()) return record::to_json(callbacks);
  if (name == "data") return {{"dataset", data.dataset}, {"tokenizer", data.tokenizer}, {"context", data.context}};
  if (name == "init" && init) return init_json(*init);
  if (name == "model") return model;
  if (name == "objectives") return objectives_json(objectives);
  if (name == "optimizer") return optimizer;
  if (name == "scheduler") return scheduler;
  if (name == "seeds") return {{"init", seeds.init}, {"data", seeds.data}};
  if (name == "train") return train_settings_json(train);
  if (name == "transforms") return record::to_json(transforms);
  return nullptr;
}

json TrainConfig::to_json() const {
  auto value = json::object();
  for (const char* name :
       {"callbacks", "data", "init", "model", "objectives", "optimizer", "scheduler", "seeds", "train", "transforms"})
    if (auto part = section(name); !part.is_null()) value[name] = std::move(part);
  return value;
}

void for_each_config(TrainConfig& train, const std::function<void(json&)>& visit) { visit_configs(train, visit); }

void for_each_config(const TrainConfig& train, const std::function<void(const json&)>& visit) {
  visit_configs(train, visit);
}

std::vector<json> inputs_in(const TrainConfig& train) {
  std::vector<json> all;
  for_each_config(train, [&](const json& config) {
    for (auto& input : inputs_in(config)) all.push_back(std::move(input));
  });
  return all;
}

}  // namespace assay::record
