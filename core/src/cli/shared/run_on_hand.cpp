#include "cli/shared/run_on_hand.h"

#include <fmt/format.h>

#include <filesystem>

#include "assay/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "plan/line_maker.h"
#include "record/code.h"
#include "record/train_record.h"

namespace assay::cli {
using nlohmann::json;

namespace {

// The reason why a run has no weights.
std::string why_none(const NamedRun& run) {
  if (run.line.steps() == 0)
    return "train.steps is 0, so the run has no weights of its own; use the run or the file that its [init] names";
  if (run.line.checkpoint.keep == "none") return "train.keep is \"none\"; run it with train.keep = \"weights\"";
  if (!record::has_record(run.layout.train_record())) return "the run has not finished; 'assay run' finishes it";
  return "the file was removed after the training; remove an evaluation's record, and 'assay run' makes it again";
}

}  // namespace

record::PlannedPlugins current_plugins(const record::PlanLine& line, const schema::Catalogue& catalogue,
                                       const std::string& besides) {
  auto plugins = line.plugins;
  std::erase_if(plugins, [](const auto& one) { return !record::has_role(one.second, "train"); });
  plugins[besides] = {};
  for (auto& [name, plugin] : plugins) {
    const auto slash = name.find('/');
    const auto found = catalogue.find(name.substr(0, slash), name.substr(slash + 1));
    if (!found)
      throw UserError(fmt::format("the run's component {} is not among the plugins; see assay plugins", name));
    if (!plugin.sha256.empty() && plugin.sha256 != found.plugin->sha256)
      fmt::print(stderr, "note: plugin {} has changed since the run was planned\n", name);
    plugin = plan::planned_plugin(*found.plugin);
  }
  return plugins;
}

void check_weights(const NamedRun& named) {
  const auto& run = named.layout;
  if (!std::filesystem::exists(run.weights()))
    throw UserError(fmt::format("{}: there is no such file; {}", run.weights().string(), why_none(named)));
  // A run that is still evaluating has its weights and no record yet.
  if (!record::has_record(run.train_record())) return;
  const auto record = json::parse(base::read_file(run.train_record()), nullptr, /*allow_exceptions=*/false);
  const auto expected = record.is_object() ? record.value("weights_sha256", "") : "";
  if (!expected.empty() && base::sha256_of_file(run.weights()) != expected)
    throw UserError(
        fmt::format("{}: the file is not the one that the training wrote ({} has its SHA-256); "
                    "remove it and an evaluation's record, and 'assay run' makes it again",
                    run.weights().string(), run.train_record().string()));
}

}  // namespace assay::cli
