// libassay_worker.so, which the program assay-worker loads. This is the process that loads plugins: it describes them,
// validates plans, executes one run of a plan, generates text, checks components and compares meshes.
#include <dlfcn.h>
#include <malloc.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app/planned_code.h"
#include "app/worker_check.h"
#include "app/worker_exchange.h"
#include "app/worker_generate.h"
#include "app/worker_replay.h"
#include "app/worker_run.h"
#include "app/worker_schedule.h"
#include "app/worker_verify.h"
#include "assay/abi_tag.h"
#include "assay/error.h"
#include "base/files.h"
#include "loader/registry.h"
#include "record/plan_line/plan_lines.h"
#include "run/validate.h"
#include "worker/client.h"

#define ASSAY_STRING_OF(x) #x
#define ASSAY_STRING(x) ASSAY_STRING_OF(x)

namespace {

using nlohmann::json;

constexpr const char* kUsage =
    "usage: assay-worker describe [--plugin-path A:B]\n"
    "       assay-worker validate PLAN.jsonl\n"
    "       assay-worker generate REQUEST.json\n"
    "       assay-worker check REQUEST.json\n"
    "       assay-worker export | import | replay | schedule | common-steps | verify-mesh REQUEST.json\n"
    "       assay-worker run --plan PLAN.jsonl --run TRAIN_ID --results FOLDER [--ranks processes] [--until STEP]\n"
    "                        [--branches ID:STEP,ID:STEP]\n";

// System messages and names in a corrupt file may contain arbitrary bytes; one such plugin must not hide the others.
std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

int describe(const std::string& plugin_path) {
  const assay::loader::Registry registry(assay::loader::plugin_files(assay::worker::plugin_folders(plugin_path)));
  std::cout << text_of({{"sdk", ASSAY_STRING(ASSAY_TENSOR_ABI_TAG)},
                        {"training_code", assay::app::training_code()},
                        {"plugins", registry.describe()}});
  return 0;
}

// Runs that differ only in their seed have the same findings. Each distinct set of plugins is loaded and checked once.
int validate(const std::string& plan) {
  std::set<std::string> groups;
  std::map<std::string, assay::loader::Registry> registries;
  assay::run::DataSizes sizes;
  json findings = json::array();
  std::map<std::string, std::set<std::string>> metrics;  // by label
  std::set<std::string> unknown;                         // labels whose evaluators do not declare metrics
  for (const auto& line : assay::record::read_plan_lines(plan))
    if (groups.insert(line.group).second) {
      const auto plugins = assay::record::to_json(line.plugins).dump();
      if (!registries.count(plugins)) registries.emplace(plugins, assay::app::registry_of(line.plugins));
      std::optional<assay::run::Built> built;
      for (auto& finding : assay::run::validate(registries.at(plugins), line, &built, &sizes))
        findings.push_back(std::move(finding));
      for (const auto& [label, names] : built ? built->metrics : std::map<std::string, std::vector<std::string>>()) {
        if (names.empty()) unknown.insert(label);
        metrics[label].insert(names.begin(), names.end());
      }
      if (built)
        findings.push_back({{"group", line.group},
                            {"parameters", built->parameters},
                            {"row_flops", built->row_flops},
                            {"epoch_tokens", built->epoch.tokens},
                            {"data", built->data},
                            {"notes", built->notes}});
    }
  for (const auto& label : unknown) metrics.erase(label);
  if (!metrics.empty()) findings.push_back({{"metrics", metrics}});
  std::cout << text_of(findings);
  return 0;
}

// The function of libassay_check.so, in the folder of this library.
assay::app::WorkerCheck& loaded_check() {
  Dl_info here;
  ::dladdr(reinterpret_cast<const void*>(&loaded_check), &here);
  const auto file = std::filesystem::path(here.dli_fname).parent_path() / "libassay_check.so";
  void* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const function = library ? ::dlsym(library, assay::app::kWorkerCheck) : nullptr;
  if (!function)
    throw assay::UserError("check: " + file.string() + " cannot be loaded: " + ::dlerror() +
                           "; build all of assay, or install it again");
  return *reinterpret_cast<assay::app::WorkerCheck*>(function);
}

int work(int argc, char** argv) {
  // Keeps freed tensors of up to 32 MiB in the process: returning pages and faulting them in again costs time in small
  // steps.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_TOP_PAD, 64 << 20);
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit is reported as an error, like a full disk
  std::vector<std::string> words;
  std::map<std::string, std::string> options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.rfind("--", 0) == 0 && i + 1 < argc)
      options[word] = argv[++i];
    else
      words.push_back(word);
  }
  try {
    if (words == std::vector<std::string>{"describe"}) return describe(options["--plugin-path"]);
    if (words.size() == 2 && words[0] == "validate") return validate(words[1]);
    if (words.size() == 2 && words[0] == "generate") {
      std::cout << assay::app::worker_generate(json::parse(assay::base::read_file(words[1]))) << "\n";
      return 0;
    }
    const std::map<std::string, json (*)(const json&)> answers{{"export", assay::app::worker_export},
                                                               {"import", assay::app::worker_import},
                                                               {"replay", assay::app::worker_replay},
                                                               {"schedule", assay::app::worker_schedule},
                                                               {"common-steps", assay::app::worker_common_steps},
                                                               {"verify-mesh", assay::app::worker_verify}};
    if (words.size() == 2 && answers.count(words[0])) {
      std::cout << text_of(answers.at(words[0])(json::parse(assay::base::read_file(words[1]))));
      return 0;
    }
    if (words.size() == 2 && words[0] == "check") {
      loaded_check()(json::parse(assay::base::read_file(words[1])));
      return 0;
    }
    if (words == std::vector<std::string>{"run"} && options.count("--plan") && options.count("--run") &&
        options.count("--results"))
      return assay::app::worker_run({options["--plan"], options["--run"], options["--results"],
                                     options["--ranks"] == "processes",
                                     options.count("--until") ? std::stoll(options["--until"]) : 0,
                                     assay::record::parse_branches(options["--branches"])});
    std::cerr << kUsage;
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "assay-worker: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace

// Exits without running the destructors of LibTorch's registries, which take time to free memory that is released
// anyway.
extern "C" ASSAY_API int assay_worker_main(int argc, char** argv) {
  const int code = work(argc, argv);
  std::cout.flush();
  std::fflush(nullptr);
  std::_Exit(code);
}
