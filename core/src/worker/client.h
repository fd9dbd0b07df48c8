// The lab's only access to plugins: `assay-worker describe`, `validate`, `check`, `generate`, `export`, `import`,
// `replay`, `schedule`, `common-steps` and `verify-mesh`, each in a short-lived process, so that no plugin can crash
// the controller.
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

// assay-worker in the folder of the current executable.
std::filesystem::path worker_program();

// --plugin-path, ASSAY_PLUGIN_PATH, <executable>/../lib/assay/plugins: the existing folders; the first wins.
std::vector<std::filesystem::path> plugin_folders(const std::string& plugin_path);

// The files that determine the descriptors: worker, libraries and plugin files, sorted.
std::vector<std::filesystem::path> files_to_describe(const std::string& plugin_path);

// With `cache_folder`, uses descriptors.json there while worker, libraries and plugin files are unchanged.
schema::Catalogue load_descriptors(const std::string& plugin_path,
                                   const std::optional<std::filesystem::path>& cache_folder);

struct Finding {
  std::string group;
  std::string path;
  std::string message;
};

// The size of the group's model.
struct ModelSize {
  int64_t parameters = 0;   // all trained parameters
  double row_flops = 0;     // per row of a training step; 0: not counted
  double epoch_tokens = 0;  // of the training text, before transforms; 0: unknown or no training
};

struct Validation {
  std::vector<Finding> findings;
  std::vector<std::string> notes;          // notes of components about the plan, without duplicates
  std::vector<std::string> data;           // descriptions of the splits, one per data configuration
  std::map<std::string, ModelSize> sizes;  // by group, of models that can be built
  // By label, the metrics of evaluations that declare them in advance.
  std::map<std::string, std::vector<std::string>> metrics;
};

// Asks the components to validate their assembly; `plan` is the text of a plan.jsonl (one line per group is enough).
Validation validate_assembly(const std::string& plan);

// Runs the conformance kit on one component in a separate process, for at most `limit`. The listener is called for
// every property as it is checked. app/worker_check.h describes the request.
struct CheckListener {
  std::function<void(const std::string& component, const std::string& property)> begins;
  std::function<void(const std::string& fault)> ended;  // how the property or the process failed; empty: it holds
};
void check_component(const nlohmann::json& request, std::chrono::seconds limit, const CheckListener& listener);

// Generates text with a trained run. app/worker_generate.h describes request and response. on_text receives streamed
// text.
nlohmann::json generate_text(const nlohmann::json& request, const std::function<void(const std::string&)>& on_text);

// Exports and imports weights in the formats of other libraries. app/worker_exchange.h describes requests and
// responses.
nlohmann::json export_weights(const nlohmann::json& request);
nlohmann::json import_weights(const nlohmann::json& request);

// Sends the events of past runs to a tracker. app/worker_replay.h describes the request.
void replay_events(const nlohmann::json& request);

// Computes learning rates over the steps. app/worker_schedule.h describes request and response.
nlohmann::json learning_rates(const nlohmann::json& request);

// The number of first steps in which the learning rates of runs agree. app/worker_schedule.h describes request and
// response.
nlohmann::json common_steps(const nlohmann::json& request);

// Compares meshes with a single rank. app/worker_verify.h describes request and response.
nlohmann::json verify_meshes(const nlohmann::json& request);

}  // namespace assay::worker
