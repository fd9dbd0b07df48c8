// Resolves a table of the document against its schema: checks that every key is known and every value has the right
// type and range, and fills in defaults.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "document/diagnostics.h"
#include "document/node.h"
#include "schema/data_paths.h"
#include "schema/descriptors.h"
#include "schema/input_finder.h"

namespace assay::schema {

class Resolver {
 public:
  // Without `inputs`, no parameter can take another run.
  Resolver(const Catalogue& catalogue, PathFinder& paths, document::Diagnostics& diagnostics,
           InputFinder* inputs = nullptr)
      : catalogue_(catalogue), paths_(paths), diagnostics_(diagnostics), inputs_(inputs) {}

  // A component of a kind: {"use": name, every parameter}; null after an error. Keys in `reserved` belong to the
  // caller.
  nlohmann::json component(const document::Node& node, const std::string& kind,
                           const std::vector<std::string>& reserved = {});

  // A section of the core, for instance [train]; `owner` names it in messages ("[train]"). Keys that are not given and
  // have no default are absent from the result.
  nlohmann::json section(const document::Node& node, const std::vector<Parameter>& parameters,
                         const std::string& owner);

  document::Diagnostics& diagnostics() { return diagnostics_; }
  // (kind, name) of all components resolved so far.
  const std::set<std::pair<std::string, std::string>>& used() const { return used_; }
  void forget_used() { used_.clear(); }
  // All durations resolved since the last call: "scheduler 'cosine': warmup", "5%".
  std::vector<std::pair<std::string, std::string>> take_durations() { return std::exchange(durations_, {}); }

 private:
  nlohmann::json keys(const document::Table& table, const document::Position& position,
                      const std::vector<Parameter>& parameters, const std::string& owner,
                      const std::vector<std::string>& reserved);
  void unknown_key(const document::Entry& entry, const std::vector<Parameter>& parameters, const std::string& owner);
  nlohmann::json value(const Parameter& parameter, const document::Node& node, const std::string& owner);
  nlohmann::json scalar(const Parameter& parameter, const std::string& type, const document::Node& node);
  nlohmann::json list(const Parameter& parameter, const document::Node& node, const std::string& owner);
  nlohmann::json child(const Parameter& parameter, const document::Node& node);
  void note_duration(const Parameter& parameter, const nlohmann::json& value, const std::string& owner);
  nlohmann::json default_of(const Parameter& parameter, const document::Position& position);
  void unknown_component(const document::Position& position, const std::string& kind, const std::string& name);
  void wrong(const Parameter& parameter, const document::Node& node, const std::string& owner);

  const Catalogue& catalogue_;
  PathFinder& paths_;
  document::Diagnostics& diagnostics_;
  InputFinder* inputs_;
  std::set<std::pair<std::string, std::string>> used_;
  std::vector<std::pair<std::string, std::string>> durations_;
  int depth_ = 0;
};

}  // namespace assay::schema
