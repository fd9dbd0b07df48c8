// Runs that other runs start from or ask: { experiment = "..", where = { .. }, seed = "same" }, found among the plans.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/diagnostics.h"
#include "config/node.h"

namespace assay::config {

// A resolved input stands in a run's configuration as {experiment, group, path, train_id}. While the seed is open it is
// {experiment, group, path, seeds: {"1": train id, ...}} instead, `path` being the folder of all runs.
bool is_run_input(const nlohmann::json& value);

// The value with every open input settled for one seed.
nlohmann::json with_inputs_of(const nlohmann::json& value, int64_t seed);

// Every settled input inside the value.
std::vector<nlohmann::json> inputs_in(const nlohmann::json& value);

class RunInputs {
 public:
  // `experiment_file`: the one that names inputs; `asked_by`: those on the way to it, so that a circle is seen.
  RunInputs(std::string experiment_file, std::string plugin_path, std::vector<std::string> asked_by)
      : file_(std::move(experiment_file)), plugin_path_(std::move(plugin_path)), asked_by_(std::move(asked_by)) {}
  // Of the experiment that asks, which cannot take its own runs.
  void set_name(std::string name) { name_ = std::move(name); }
  void set_seeds(std::vector<int64_t> seeds) { seeds_ = std::move(seeds); }

  // The plan in force of the experiment has the word, then its file under experiments/. Null after an error.
  nlohmann::json find(const Node& node, const std::string& owner, Diagnostics& diagnostics);
  // Whose runs were found.
  const std::set<std::string>& experiments() const { return experiments_; }

 private:
  using Lines = std::vector<nlohmann::json>;
  const Lines& in_force(const std::string& experiment);
  const Lines& of_file(const std::string& experiment);
  nlohmann::json choose(const Lines& lines, const Node& node, const std::string& experiment, std::string& why) const;

  std::string file_, plugin_path_, name_;
  std::vector<std::string> asked_by_;
  std::vector<int64_t> seeds_;
  std::map<std::string, Lines> in_force_, of_file_;
  std::set<std::string> experiments_;
};

}  // namespace assay::config
