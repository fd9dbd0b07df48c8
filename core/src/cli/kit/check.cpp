// assay check FILE.so: runs the conformance kit on every component of a plugin and prints one line per property. For an
// experiment file it validates the plan.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "assay/error.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"
#include "schema/argument_component.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

const schema::PluginFile& plugin_of(const schema::Catalogue& catalogue, const fs::path& file) {
  for (const auto& plugin : catalogue.plugins) {
    std::error_code ignored;
    if (!fs::equivalent(plugin.file, file, ignored)) continue;
    if (!plugin.ok) throw UserError(fmt::format("{}: the plugin was refused: {}", file.string(), plugin.error));
    return plugin;
  }
  throw UserError(
      fmt::format("{}: the file is not a plugin of its folder; a plugin's name ends with .so", file.string()));
}

// The arguments of this component; a plugin may have several components.
std::vector<std::string> words_of(const schema::Component& component, const std::vector<std::string>& words) {
  std::vector<std::string> own;
  for (const auto& word : words)
    for (const auto& parameter : component.parameters)
      if (word.starts_with(parameter.name + "=") || word.starts_with(parameter.name + ".")) own.push_back(word);
  return own;
}

void require_components_of(const schema::PluginFile& plugin, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    bool known = false;
    for (const auto& component : plugin.components) known |= !words_of(component, {word}).empty();
    if (!known)
      throw UserError(fmt::format("assay check: '{}' is not a parameter of any component in {}", word, plugin.file));
  }
}

}  // namespace

int check(const Arguments& arguments) {
  auto options = plan_options();
  options.add_options()("timeout", po::value<std::string>()->default_value("10m")->value_name("TIME"),
                        "time limit per component (90s, 15m, 2h), each in its own process; exceeding it is a fault");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.empty())
    throw UserError(
        "assay check: a plugin's FILE.so, or an experiment's FILE.toml, is missing; see assay check --help");
  const fs::path file = parsed->words[0];
  if (!fs::exists(file)) throw UserError(fmt::format("{}: there is no such file", file.string()));
  if (file.extension() == ".toml") {
    const auto plan = plan::make_plan(plan_request(arguments, *parsed));
    fmt::print("{}: {} run{}, the plan is valid\n", file.string(), plan.lines.size(),
               plan.lines.size() == 1 ? "" : "s");
    return kDone;
  }
  const auto timeout = timeout_of(arguments, parsed->options["timeout"].as<std::string>());
  const std::vector<std::string> words(parsed->words.begin() + 1, parsed->words.end());
  const auto path = fs::absolute(file).parent_path().string() + ":" + parsed->options["plugin-path"].as<std::string>();
  const auto catalogue = worker::load_descriptors(path, std::nullopt);
  const auto& plugin = plugin_of(catalogue, file);
  require_components_of(plugin, words);

  auto files = nlohmann::json::array({plugin.file});
  for (const auto& other : catalogue.plugins)
    if (other.ok && other.file != plugin.file) files.push_back(other.file);
  std::vector<nlohmann::json> requests;
  for (const auto& component : plugin.components)
    requests.push_back(
        {{"files", files},
         {"kind", component.kind},
         {"name", component.name},
         {"given", schema::component_of_words(component.kind, component.name, words_of(component, words), catalogue)}});
  size_t properties = 0, faults = 0;
  const worker::CheckListener listener{[&](const std::string& component, const std::string& property) {
                                         ++properties;
                                         fmt::print("{}: {}: ", component, property);
                                         std::fflush(stdout);  // the property may hang
                                       },
                                       [&](const std::string& fault) {
                                         fmt::print("{}\n", fault.empty() ? "ok" : "FAULT: " + fault);
                                         std::fflush(stdout);
                                         faults += !fault.empty();
                                       }};
  for (const auto& request : requests) worker::check_component(request, timeout, listener);
  fmt::print("{}: {} of {} properties hold\n", file.string(), properties - faults, properties);
  return faults ? kRunFailed : kDone;
}

}  // namespace assay::cli
