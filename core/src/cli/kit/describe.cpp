// assay describe NAME: shows the parameter table of a component, given by its name or kind/name; --schema: prints a
// JSON Schema of experiment files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/nearest.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"
#include "cli/shared/text_table.h"
#include "compare/formats/escape.h"
#include "schema/json_schema.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

std::string default_text(const schema::Parameter& parameter) {
  if (parameter.required) return "required";
  const auto text = parameter.default_text();
  return text.empty() ? "-" : text;
}

std::string text_of(const schema::PluginFile& plugin, const schema::Component& component) {
  auto text = fmt::format("{} '{}'  (plugin {} {}, {})\n", component.kind, component.name, plugin.name, plugin.version,
                          plugin.file);
  if (!component.doc.empty()) text += component.doc + "\n";
  if (!component.paper.empty()) text += fmt::format("paper: {}\n", component.paper);
  if (component.parameters.empty()) return text + "no parameters\n";
  std::vector<std::vector<std::string>> rows{{"parameter", "type", "default", "meaning"}};
  for (const auto& parameter : component.parameters)
    rows.push_back({parameter.name, parameter.type_text(), default_text(parameter), parameter.doc});
  return text + "\n" + aligned(rows);
}

std::string markdown_of(const schema::Component& component) {
  auto text =
      fmt::format("### {} `{}`\n\n{}", component.kind, component.name, compare::escaped_markdown(component.doc));
  if (!component.paper.empty()) text += fmt::format(" ({})", component.paper);
  text += "\n";
  if (component.parameters.empty()) return text + "\nNo parameters.\n";
  text += "\n| parameter | type | default | meaning |\n|:--|:--|:--|:--|\n";
  for (const auto& parameter : component.parameters)
    text += fmt::format("| `{}` | {} | {} | {} |\n", parameter.name, compare::escaped_markdown(parameter.type_text()),
                        compare::escaped_markdown(default_text(parameter)), compare::escaped_markdown(parameter.doc));
  return text;
}

nlohmann::json json_of(const schema::PluginFile& plugin, const schema::Component& component) {
  nlohmann::json parameters = nlohmann::json::array();
  for (const auto& parameter : component.parameters) {
    nlohmann::json one = {{"name", parameter.name},
                          {"type", parameter.type},
                          {"required", parameter.required},
                          {"default", parameter.default_value},
                          {"doc", parameter.doc}};
    if (parameter.min) one["min"] = *parameter.min;
    if (parameter.max) one["max"] = *parameter.max;
    if (!parameter.choices.empty()) one["choices"] = parameter.choices;
    if (!parameter.child_kind.empty()) one["child_kind"] = parameter.child_kind;
    parameters.push_back(one);
  }
  return {{"kind", component.kind}, {"name", component.name},    {"doc", component.doc}, {"paper", component.paper},
          {"plugin", plugin.name},  {"version", plugin.version}, {"file", plugin.file},  {"parameters", parameters}};
}

using Shown = std::vector<std::pair<const schema::PluginFile*, const schema::Component*>>;

std::string formatted(const Shown& shown, const std::string& format) {
  if (format == "json") {
    auto all = nlohmann::json::array();
    for (const auto& [plugin, component] : shown) all.push_back(json_of(*plugin, *component));
    return all.dump(2) + "\n";
  }
  std::vector<std::string> parts;
  for (const auto& [plugin, component] : shown)
    parts.push_back(format == "md" ? markdown_of(*component) : text_of(*plugin, *component));
  return fmt::format("{}", fmt::join(parts, "\n"));
}

}  // namespace

int describe(const Arguments& arguments) {
  std::string format;
  auto options = plugin_options();
  options.add_options()("format", po::value(&format)->default_value("text")->value_name("F"), "text, md or json")(
      "schema", "print a JSON Schema of experiment files, for editors, instead of a component");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  const bool schema = parsed->options.count("schema") > 0;
  if (format != "text" && format != "md" && format != "json")
    throw UserError("--format: '" + format + "' is not a valid format; give text, md or json");
  if (parsed->words.size() != (schema ? 0 : 1))
    throw UserError(schema
                        ? "assay describe --schema takes no NAME"
                        : "assay describe takes one NAME, a component's or kind/component; assay plugins lists them");
  const auto catalogue = worker::load_descriptors(parsed->options["plugin-path"].as<std::string>(), std::nullopt);
  if (schema) {
    fmt::print("{}\n", schema::json_schema(catalogue).dump(2));
    return kDone;
  }
  const auto& wanted = parsed->words[0];
  std::vector<std::string> names;
  Shown shown;
  for (const auto& plugin : catalogue.plugins)
    for (const auto& component : plugin.components) {
      const auto full = component.kind + "/" + component.name;
      names.push_back(wanted.find('/') == std::string::npos ? component.name : full);
      const bool first = catalogue.find(component.kind, component.name).plugin == &plugin;
      if (names.back() == wanted && first) shown.emplace_back(&plugin, &component);
    }
  if (!shown.empty()) {
    fmt::print("{}", formatted(shown, format));
    return kDone;
  }
  auto message = fmt::format("assay describe: there is no component '{}'{}", wanted,
                             base::suggestion(wanted, names, "components are "));
  for (const auto& plugin : catalogue.plugins)
    if (!plugin.ok)
      message += fmt::format("\nplugin file {} was refused and might contain it: {}", plugin.file, plugin.error);
  throw UserError(message);
}

}  // namespace assay::cli
