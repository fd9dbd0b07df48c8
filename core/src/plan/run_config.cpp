#include "plan/run_config.h"

#include <fmt/format.h>

#include <optional>

#include "base/duration.h"
#include "document/key_path.h"
#include "plan/budget.h"
#include "schema/sections.h"

namespace assay::plan {
namespace {

using nlohmann::json;

json member(const json& object, const char* key) { return object.is_object() ? object.value(key, json()) : json(); }

json single(const document::Node& document, const std::string& kind, schema::Resolver& resolver) {
  const auto* node = document.as<document::Table>()->find(kind);
  if (node) return resolver.component(*node, kind);
  resolver.diagnostics().add(document.position, fmt::format("the experiment needs [{}] with 'use'", kind));
  return nullptr;
}

json data_section(const document::Node& document, schema::Resolver& resolver) {
  const auto* node = document.as<document::Table>()->find("data");
  if (node) return resolver.section(*node, schema::section_parameters("data"), "[data]");
  resolver.diagnostics().add(document.position,
                             "the experiment needs [data] with 'dataset', 'tokenizer' and 'context'");
  return json::object();
}

struct ListEntry {
  json own;        // keys that the core reads: label, weight, every, split
  json component;  // keys for the plugin
  const document::Node* node;
};

// The enabled entries of [[section]].
std::vector<ListEntry> list_section(const document::Node& document, const std::string& section, const std::string& kind,
                                    schema::Resolver& resolver) {
  std::vector<ListEntry> entries;
  const auto* list = document.as<document::Table>()->find(section);
  if (!list || !list->as<document::Array>()) return entries;
  const auto& parameters = schema::section_parameters(section);
  for (const auto& node : *list->as<document::Array>()) {
    const auto* table = node.as<document::Table>();
    if (!table) continue;  // already reported by expand_shorthands
    const auto* enabled = table->find("enabled");
    if (enabled && enabled->as<bool>() && !*enabled->as<bool>()) continue;
    if (const auto* remove = table->find_entry("remove"))  // a valid one was consumed by merging
      resolver.diagnostics().add(remove->position,
                                 "'remove' must be true and is valid only in an entry inherited by extends; elsewhere, "
                                 "set enabled = false to omit an entry");
    document::Node own{document::Table{}, node.position};
    std::vector<std::string> reserved{"remove"};
    for (const auto& parameter : parameters) {
      reserved.push_back(parameter.name);
      if (const auto* entry = table->find_entry(parameter.name)) own.as<document::Table>()->entries.push_back(*entry);
    }
    ListEntry entry{resolver.section(own, parameters, fmt::format("{} '{}'", section, document::label_of(node))),
                    resolver.component(node, kind, reserved), &node};
    entry.own["label"] = document::label_of(node);
    entries.push_back(std::move(entry));
  }
  return entries;
}

json objectives(const document::Node& document, schema::Resolver& resolver) {
  auto result = json::array();
  for (auto& entry : list_section(document, "objective", "objective", resolver)) {
    if (entry.component.is_null()) continue;
    entry.component["label"] = entry.own["label"];
    entry.component["weight"] = entry.own["weight"];
    result.push_back(std::move(entry.component));
  }
  const auto* list = document.as<document::Table>()->find("objective");
  const bool reported =
      list && list->as<document::Array>() && !list->as<document::Array>()->empty() && !resolver.diagnostics().empty();
  if (result.empty() && !reported)
    resolver.diagnostics().add(list ? list->position : document.position,
                               "the experiment needs at least one enabled [[objective]]");
  return result;
}

// Reads a list from whose entries the core needs nothing but the label: transforms, callbacks, exchanges.
json labelled(const document::Node& document, const char* kind, schema::Resolver& resolver) {
  auto result = json::array();
  for (auto& entry : list_section(document, kind, kind, resolver)) {
    if (entry.component.is_null()) continue;
    entry.component["label"] = entry.own["label"];
    result.push_back(std::move(entry.component));
  }
  return result;
}

// Null if training starts from randomly initialised weights, so that ids from before [init] existed stay valid.
json init_section(const document::Node& document, schema::Resolver& resolver) {
  const auto* node = document.as<document::Table>()->find("init");
  if (!node || !node->is_table() || node->as<document::Table>()->entries.empty()) return nullptr;
  auto init = resolver.section(*node, schema::section_parameters("init"), "[init]");
  const bool from = node->as<document::Table>()->find("from"), weights = node->as<document::Table>()->find("weights");
  if (from == weights)
    resolver.diagnostics().add(node->position,
                               "[init] needs one of 'from' (a run) and 'weights' (a .safetensors file)");
  else if (weights && member(init, "load") == "all")
    resolver.diagnostics().add(document::nearest_position(document, {"init", "load"}),
                               "load = \"all\" also loads the optimizer state of a run; a file of weights has none, so "
                               "set load = \"weights\"");
  for (const char* key : {"from", "weights", "ignore"})
    if (init.contains(key) && init[key].is_null()) init.erase(key);
  return init;
}

struct Length {
  int64_t steps, tokens_per_step;
};

// The length of this run; no value when it could not be resolved.
std::optional<Length> length_of(const json& train) {
  const auto budget = member(train, "train"), context = member(member(train, "data"), "context");
  const auto steps = member(budget, "steps"), batch = member(budget, "batch");
  if (!steps.is_number_integer() || !batch.is_number_integer() || !context.is_number_integer()) return std::nullopt;
  return Length{steps.get<int64_t>(), batch.get<int64_t>() * context.get<int64_t>()};
}

// Number of steps of a duration such as "5%" in this run; no value when the duration or the run's length could not be
// resolved.
std::optional<int64_t> steps_of(const json& text, const json& train) {
  const auto length = length_of(train);
  const auto duration = text.is_string() ? base::parse_duration(text.get<std::string>()) : std::nullopt;
  if (!length || !duration) return std::nullopt;
  return duration->steps(length->steps, length->tokens_per_step);
}

std::vector<std::string> rounding_notes(const std::vector<std::pair<std::string, std::string>>& durations,
                                        const json& train) {
  std::vector<std::string> notes;
  const auto length = length_of(train);
  if (!length) return notes;
  for (const auto& [name, text] : durations) {
    const auto duration = base::parse_duration(text);
    const auto note = duration ? base::rounding_note(*duration, length->steps, length->tokens_per_step) : "";
    if (!note.empty()) notes.push_back(fmt::format("{}: {}", name, note));
  }
  return notes;
}

std::vector<Evaluation> evaluations(const document::Node& document, const RunConfig& config,
                                    schema::Resolver& resolver) {
  std::vector<Evaluation> result;
  for (auto& entry : list_section(document, "evaluate", "evaluator", resolver)) {
    Evaluation evaluation;
    evaluation.label = document::label_of(*entry.node);
    evaluation.config = std::move(entry.component);
    if (entry.own["split"].is_string()) evaluation.split = entry.own["split"].get<std::string>();
    evaluation.every = steps_of(member(entry.own, "every"), config.train).value_or(0);
    result.push_back(std::move(evaluation));
  }
  return result;
}

// Checkpoint frequency and retention do not affect the weights, so they are removed from the part that determines
// identity.
json taken_checkpoint(json& train) {
  auto& budget = train["train"];
  const json checkpoint = {{"every", steps_of(member(budget, "checkpoint"), train).value_or(0)},
                           {"keep", member(budget, "keep")}};
  if (budget.is_object()) {
    budget.erase("checkpoint");
    budget.erase("keep");
  }
  return checkpoint;
}

}  // namespace

RunConfig resolve_run(const document::Node& document, schema::Resolver& resolver) {
  RunConfig config;
  const auto note_used = [&](const char* role) {
    for (const auto& component : resolver.used()) config.used[component].emplace_back(role);
    resolver.forget_used();
  };
  resolver.forget_used();
  resolver.take_durations();
  config.train = json::object();
  config.train["data"] = data_section(document, resolver);
  config.train["model"] = single(document, "model", resolver);
  config.train["objectives"] = objectives(document, resolver);
  config.train["transforms"] = labelled(document, "transform", resolver);
  config.train["optimizer"] = single(document, "optimizer", resolver);
  config.train["scheduler"] = single(document, "scheduler", resolver);
  // Omitted when empty, so that ids from before callbacks existed stay valid.
  if (auto callbacks = labelled(document, "callback", resolver); !callbacks.empty())
    config.train["callbacks"] = std::move(callbacks);
  if (auto init = init_section(document, resolver); !init.is_null()) config.train["init"] = std::move(init);
  auto durations = resolver.take_durations();
  config.train["train"] = resolve_train(document, member(config.train["data"], "context"), config.budget, resolver);
  resolver.take_durations();  // the checkpoint frequency needs no rounding note
  config.checkpoint = taken_checkpoint(config.train);
  config.resources = resolve_resources(document, member(config.train["train"], "batch"), resolver);
  note_used("train");
  config.evaluations = evaluations(document, config, resolver);
  note_used("evaluate");
  config.trackers = json::array();
  for (auto& entry : list_section(document, "tracker", "tracker", resolver)) {
    if (!entry.component.is_null()) entry.component["label"] = entry.own["label"];
    config.trackers.push_back(std::move(entry.component));
  }
  note_used("watch");
  config.exchanges = labelled(document, "exchange", resolver);
  note_used("export");
  for (auto& duration : resolver.take_durations()) durations.push_back(std::move(duration));
  config.notes = rounding_notes(durations, config.train);
  if (const auto* log = document.as<document::Table>()->find("log")) {
    const auto every = member(resolver.section(*log, schema::section_parameters("log"), "[log]"), "every");
    if (every.is_number_integer()) config.log_every = every.get<int64_t>();
  }
  return config;
}

}  // namespace assay::plan
