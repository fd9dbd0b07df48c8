// An experiment file to the list of its runs: the lab's one entry to configuration.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "study/compare_settings.h"
#include "study/prune_settings.h"
#include "worker/client.h"

namespace assay::plan {

struct PlanRequest {
  std::string file;                        // as the user gave it; messages repeat it
  std::vector<std::string> sets;           // key=value
  std::string plugin_path;                 // folders separated by colons, looked at before ASSAY_PLUGIN_PATH
  std::vector<std::string> asked_by = {};  // files whose runs take this one's as inputs
  size_t seeds_at_least = 0;               // where the file has fewer, the next numbers come, too
  std::string folder = {};                 // that paths in `sets` are relative to; empty: the current one
  bool validates = true;                   // whether components judge the assembly, which takes a process with LibTorch
};

struct Plan {
  std::string experiment;                          // name
  std::filesystem::path results_folder;            // <results root>/<experiment>
  std::string training_code;                       // build id of the library that will train
  std::vector<std::string> axes;                   // names of the swept keys, in the order of the file
  size_t combinations = 0;                         // of the sweep, before equal ones collapse
  size_t distinct = 0;                             // groups
  std::vector<nlohmann::json> lines;               // one a run: what plan.jsonl holds; groups together, seeds in order
  std::map<std::string, worker::ModelSize> sizes;  // by group
  std::vector<std::string> notes;                  // what components say to whoever plans
  std::vector<std::string> data;                   // what the splits hold
  study::CompareSettings compare;
  std::optional<study::PruneSettings> prune;
  std::string source_text;         // the experiment file, with what it extends as comments below
  PlanRequest request;             // that it answers
  std::vector<std::string> files;  // TOML and data that were read for it
  std::set<std::string> inputs;    // experiments whose runs these take as inputs
};

// Throws ConfigErrors with everything that is wrong, or UserError when plugins cannot be asked.
Plan make_plan(const PlanRequest& request);

// Sentences to read before running: components that more than one plugin file on the path has, components' notes,
// training text that is read many times.
std::vector<std::string> warnings_of(const Plan& plan);

// <folder>/plan.jsonl and <folder>/experiment.toml, each replaced atomically; the folder is made.
void write_plan(const Plan& plan, const std::filesystem::path& folder);

}  // namespace assay::plan
