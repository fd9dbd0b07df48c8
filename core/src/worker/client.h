// The lab's only view of plugins: `assay-worker describe`, `validate`, `check`, `generate`, `export`, `import`,
// `replay`, `schedule` and `verify-mesh`, each one short-lived process, so that no plugin can take the controller down.
//
// Test hook: with ASSAY_DESCRIPTORS=<file> the descriptors are read from that file, nothing is validated, and
// every model has 1,000 parameters.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schema/descriptors.h"

namespace assay::worker {

// assay-worker beside our own executable.
std::filesystem::path worker_program();

// --plugin-path, ASSAY_PLUGIN_PATH, <executable>/../lib/assay/plugins: the folders that exist, first wins.
std::vector<std::filesystem::path> plugin_folders(const std::string& plugin_path);

// What the descriptors are made from: worker, libraries and plugin files, sorted.
std::vector<std::filesystem::path> files_to_describe(const std::string& plugin_path);

// With `cache_folder`, descriptors.json there is used while worker, libraries and plugin files are the same.
schema::Catalogue load_descriptors(const std::string& plugin_path,
                                   const std::optional<std::filesystem::path>& cache_folder);

struct Finding {
  std::string group;
  std::string path;
  std::string message;
};

// Of a model as the group has it.
struct ModelSize {
  int64_t parameters = 0;   // all of what trains
  double row_flops = 0;     // of one row of a training step; 0: not counted
  double epoch_tokens = 0;  // of the training text, before transforms; 0: nothing is trained, or not known
};

struct Validation {
  std::vector<Finding> findings;
  std::vector<std::string> notes;          // what components say to whoever plans, each once
  std::vector<std::string> data;           // what the splits hold, a sentence for each way of making them
  std::map<std::string, ModelSize> sizes;  // by group, of those that can be built
  // By label, the metrics of evaluations that can name them before they are made.
  std::map<std::string, std::vector<std::string>> metrics;
};

// What the components say about being put together; `plan` is a plan.jsonl (one line a group is enough).
Validation validate_assembly(const std::string& plan);

// The conformance kit on one component, in a process of its own that may take `limit`; the listener hears of every
// property as it is tried. The request is that of app/worker_check.h.
struct CheckListener {
  std::function<void(const std::string& component, const std::string& property)> begins;
  std::function<void(const std::string& fault)> ended;  // a counter-example, or what ended the process; empty: it holds
};
void check_component(const nlohmann::json& request, std::chrono::seconds limit, const CheckListener& listener);

// Text from a trained run; request and answer are those of app/worker_generate.h. on_text gets what is streamed.
nlohmann::json generate_text(const nlohmann::json& request, const std::function<void(const std::string&)>& on_text);

// Weights to and from other libraries' folders; requests and answers are those of app/worker_exchange.h.
nlohmann::json export_weights(const nlohmann::json& request);
nlohmann::json import_weights(const nlohmann::json& request);

// The events of past runs, told to a tracker; the request is that of app/worker_replay.h.
void replay_events(const nlohmann::json& request);

// Learning rates over the steps; request and answer are those of app/worker_schedule.h.
nlohmann::json learning_rates(const nlohmann::json& request);

// How far meshes are from one rank; request and answer are those of app/worker_verify.h.
nlohmann::json verify_meshes(const nlohmann::json& request);

}  // namespace assay::worker
