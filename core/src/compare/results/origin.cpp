#include "compare/results/origin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace assay::compare {
namespace {

constexpr size_t kShownDigits = 12;

std::string shortened(const std::string& id) { return id.empty() ? "unknown" : id.substr(0, kShownDigits); }

// Distinct non-empty texts of the trained runs, in the order of the plan.
template <typename Text>
std::vector<std::string> distinct(const Results& results, Text text) {
  std::vector<std::string> found;
  for (const auto& run : results.runs) {
    if (!run.trained) continue;
    const std::string one = text(run);
    if (!one.empty() && std::find(found.begin(), found.end(), one) == found.end()) found.push_back(one);
  }
  return found;
}

}  // namespace

std::vector<std::string> code_differences(const Results& results) {
  std::map<std::string, std::map<std::string, int>> runs_of;  // component -> build id -> runs
  for (const auto& run : results.runs) {
    if (run.trained) ++runs_of["training library"][run.origin.training_code];
    for (const auto& [component, id] : run.code) ++runs_of[component][id];
  }
  std::vector<std::string> differences;
  for (const auto& [component, ids] : runs_of) {
    if (ids.size() < 2) continue;
    std::vector<std::string> parts;
    for (const auto& [id, runs] : ids)
      parts.push_back(fmt::format("{} ({} run{})", shortened(id), runs, runs == 1 ? "" : "s"));
    differences.push_back(fmt::format("{}: {}", component, fmt::join(parts, ", ")));
  }
  return differences;
}

void refuse_mixed_code(const Results& results, const record::ExperimentLayout& experiment, bool allowed) {
  const auto mixed = code_differences(results);
  if (mixed.empty() || allowed) return;
  throw MixedCode(fmt::format(
      "the records of '{}' were made by different code, so their differences may be due to the code:\n  {}\n"
      "'assay recheck' may accept the old records after a replay; "
      "otherwise remove their folders under {} and run them again, or give --mixed-code.",
      results.experiment, fmt::join(mixed, "\n  "), (experiment.folder() / "runs").string()));
}

std::vector<std::string> timing_conditions(const Results& results) {
  return distinct(results, [](const RunResult& run) { return run.origin.conditions; });
}

std::vector<std::pair<std::string, std::string>> provenance_of(const Results& results, const std::string& command) {
  std::map<std::string, std::vector<std::string>> plugins;
  for (const auto& run : results.runs)
    for (const auto& [component, id] : run.code) {
      if (component == kEvaluationLibrary) continue;
      auto& ids = plugins[component];
      if (std::find(ids.begin(), ids.end(), shortened(id)) == ids.end()) ids.push_back(shortened(id));
    }
  std::vector<std::string> components;
  for (const auto& [component, ids] : plugins)
    components.push_back(fmt::format("{} {}", component, fmt::join(ids, "+")));
  const auto joined = [](const std::vector<std::string>& texts) { return fmt::format("{}", fmt::join(texts, ", ")); };

  std::vector<std::pair<std::string, std::string>> lines;
  const auto add = [&](const char* name, std::string text) {
    if (!text.empty()) lines.emplace_back(name, std::move(text));
  };
  std::vector<std::string> plans;
  for (const auto& hash : results.plan_hashes) plans.push_back(shortened(hash));
  add("plan", fmt::format("{}", fmt::join(plans, "+")));
  add("training code",
      joined(distinct(results, [](const RunResult& run) { return shortened(run.origin.training_code); })));
  const auto evaluated_by = joined(distinct(results, [](const RunResult& run) {
    const auto found = run.code.find(kEvaluationLibrary);
    return found == run.code.end() || found->second == run.origin.training_code ? "" : shortened(found->second);
  }));
  add("evaluation code", evaluated_by);
  add("plugins", joined(components));
  add("commit", joined(distinct(results, [](const RunResult& run) {
        if (run.origin.commit.empty()) return std::string("no repository");
        return shortened(run.origin.commit) + (run.origin.dirty ? " (with uncommitted changes)" : "");
      })));
  add("data", joined(distinct(
                  results, [](const RunResult& run) { return fmt::format("{}", fmt::join(run.origin.data, ", ")); })));
  add("machine", joined(distinct(results, [](const RunResult& run) {
        if (run.origin.host.empty()) return std::string();
        return fmt::format("host {}, {}{}", run.origin.host, run.origin.cpu,
                           run.origin.cores > 0 ? fmt::format(", {} cores", run.origin.cores) : "");
      })));
  add("LibTorch", joined(distinct(results, [](const RunResult& run) { return run.origin.libtorch; })));
  add("command", command);
  return lines;
}

}  // namespace assay::compare
