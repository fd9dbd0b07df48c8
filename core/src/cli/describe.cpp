// assay describe NAME: the parameter table of a component, by its name or kind/name.
#include <fmt/format.h>

#include "assay/error.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/text_table.h"
#include "config/nearest.h"
#include "config/worker.h"

namespace assay::cli {
namespace {

std::string default_text(const config::Parameter& parameter) {
  if (parameter.required) return "required";
  const auto& value = parameter.default_value;
  if (value.is_null() || value == "") return "-";
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? fmt::format("{}", value.get<double>()) : value.dump();
}

void print_component(const config::PluginFile& plugin, const config::Component& component) {
  fmt::print("{} '{}'  (plugin {} {}, {})\n", component.kind, component.name, plugin.name, plugin.version, plugin.file);
  if (!component.doc.empty()) fmt::print("{}\n", component.doc);
  if (!component.paper.empty()) fmt::print("paper: {}\n", component.paper);
  if (component.parameters.empty()) {
    fmt::print("no parameters\n");
    return;
  }
  std::vector<std::vector<std::string>> rows{{"parameter", "type", "default", "meaning"}};
  for (const auto& parameter : component.parameters)
    rows.push_back({parameter.name, parameter.type_text(), default_text(parameter), parameter.doc});
  fmt::print("\n{}", aligned(rows));
}

}  // namespace

int describe(const Arguments& arguments) {
  const auto parsed = parse_options(arguments, plugin_options());
  if (!parsed) return kDone;
  if (parsed->words.size() != 1)
    throw UserError("assay describe takes one NAME, a component's or kind/component; assay plugins lists them");
  const auto& wanted = parsed->words[0];
  const auto catalogue = config::load_descriptors(parsed->options["plugin-path"].as<std::string>(), std::nullopt);
  std::vector<std::string> names;
  size_t shown = 0;
  for (const auto& plugin : catalogue.plugins) {
    for (const auto& component : plugin.components) {
      const auto full = component.kind + "/" + component.name;
      names.push_back(wanted.find('/') == std::string::npos ? component.name : full);
      if (wanted != component.name && wanted != full) continue;
      if (shown++) fmt::print("\n");
      print_component(plugin, component);
    }
  }
  if (shown) return kDone;
  auto message =
      fmt::format("assay describe: no component '{}'{}", wanted, config::suggestion(wanted, names, "there are "));
  for (const auto& plugin : catalogue.plugins)
    if (!plugin.ok)
      message += fmt::format("\nplugin file {} was refused and might have it: {}", plugin.file, plugin.error);
  throw UserError(message);
}

}  // namespace assay::cli
