#include "cli/shared/run_on_hand.h"

#include <fmt/format.h>

#include <filesystem>

#include "assay/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "record/code.h"
#include "record/train_record.h"

namespace assay::cli {
using nlohmann::json;

namespace {

// The reason why a run has no weights.
std::string why_none(const NamedRun& run) {
  if (run.line.at("train").at("train").at("steps") == 0)
    return "train.steps is 0, so the run has no weights of its own; use the run or the file that its [init] names";
  if (run.line.at("checkpoint").at("keep") == "none")
    return "train.keep is \"none\"; run it with train.keep = \"weights\"";
  if (!record::has_record(run.layout.train_record())) return "the run has not finished; 'assay run' finishes it";
  return "the file was removed after the training; remove an evaluation's record, and 'assay run' makes it again";
}

}  // namespace

json plugins_now(const json& line, const schema::Catalogue& catalogue, const std::string& besides) {
  auto plugins = record::training_plugins(line);
  plugins[besides] = json::object();
  for (auto& [name, plugin] : plugins.items()) {
    const auto slash = name.find('/');
    const auto found = catalogue.find(name.substr(0, slash), name.substr(slash + 1));
    if (!found)
      throw UserError(fmt::format("the run's component {} is not among the plugins; see assay plugins", name));
    if (plugin.contains("sha256") && plugin["sha256"] != found.plugin->sha256)
      fmt::print(stderr, "note: plugin {} has changed since the run was planned\n", name);
    plugin["file"] = found.plugin->file;
    plugin["sha256"] = found.plugin->sha256;
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
