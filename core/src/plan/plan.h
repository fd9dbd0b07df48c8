// Plans the runs of an experiment file. This is the only entry point of the lab to configuration.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "document/diagnostics.h"
#include "record/plan_line/plan_line.h"
#include "study/compare_settings.h"
#include "study/prune_settings.h"
#include "worker/client.h"

namespace assay::plan {

struct PlanRequest {
  std::string file;                            // as given by the user and shown in messages
  std::vector<std::string> sets;               // key=value
  std::string plugin_path;                     // folders separated by colons, searched before ASSAY_PLUGIN_PATH
  std::vector<std::string> requested_by = {};  // files whose runs take this file's runs as inputs
  size_t seeds_at_least = 0;                   // if the file has fewer, the next numbers are added
  std::string folder = {};                     // to which paths in `sets` are relative; empty: the current folder
  bool validates = true;  // whether components validate the assembly; needs a process with LibTorch
};

struct Plan {
  std::string experiment;                          // name
  std::filesystem::path results_folder;            // <results root>/<experiment>
  std::string training_code;                       // build id of the library that will train
  std::vector<std::string> axes;                   // names of the swept keys, in the order of the file
  size_t combinations = 0;                         // of the sweep, before equal ones are merged
  size_t distinct = 0;                             // groups
  std::vector<record::PlanLine> lines;             // of plan.jsonl, one per run, in order of group and seed
  std::map<std::string, worker::ModelSize> sizes;  // by group
  std::vector<std::string> notes;                  // notes of components about the plan
  std::vector<std::string> data;                   // descriptions of the splits
  bool share_trunks = true;                        // runs that agree up to a step train it once
  study::CompareSettings compare;
  std::optional<study::PruneSettings> prune;
  std::string source_text;         // the experiment file, with the files that it extends as comments below
  PlanRequest request;             // from which it was made
  std::vector<std::string> files;  // TOML and data files that planning read
  std::set<std::string> inputs;    // experiments whose runs are inputs of these
};

// Throws ConfigErrors with all errors, or UserError when the plugin descriptors cannot be loaded.
Plan make_plan(const PlanRequest& request);

// Warnings to read before running: components that more than one plugin file on the path provides, notes of components,
// training text that is read many times.
std::vector<std::string> warnings_of(const Plan& plan);

// Writes <folder>/plan.jsonl and <folder>/experiment.toml, each atomically; creates the folder.
void write_plan(const Plan& plan, const std::filesystem::path& folder);

}  // namespace assay::plan
