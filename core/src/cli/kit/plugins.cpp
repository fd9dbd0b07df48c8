// assay plugins: lists the components of all plugins, and the refused files with the reasons.
#include <fmt/format.h>

#include <algorithm>

#include "assay/error.h"
#include "cli/shared/cli.h"
#include "cli/shared/options.h"
#include "cli/shared/text_table.h"
#include "compare/formats/escape.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

// Marks a component that an earlier file on the path shadows.
std::string behind(const schema::Catalogue& catalogue, const schema::PluginFile& plugin,
                   const schema::Component& component) {
  const auto* first = catalogue.find(component.kind, component.name).plugin;
  return first == &plugin ? "" : fmt::format("(not used: shadowed by {}) ", first->file);
}

std::string text_of(const schema::Catalogue& catalogue) {
  std::vector<std::vector<std::string>> rows{{"component", "plugin", "version", "what it is"}};
  for (const auto& plugin : catalogue.plugins)
    for (const auto& component : plugin.components)
      rows.push_back({component.kind + "/" + component.name, plugin.name, plugin.version,
                      behind(catalogue, plugin, component) + component.doc});
  std::sort(rows.begin() + 1, rows.end());
  return rows.size() > 1 ? aligned(rows) : "no plugin could be loaded\n";
}

std::string markdown_of(const schema::Catalogue& catalogue) {
  std::vector<std::string> rows;
  for (const auto& plugin : catalogue.plugins)
    for (const auto& component : plugin.components)
      rows.push_back(fmt::format("| {} | `{}` | {} | {} |\n", component.kind, component.name,
                                 compare::escaped_markdown(component.doc), compare::escaped_markdown(component.paper)));
  std::sort(rows.begin(), rows.end());
  return fmt::format("| kind | name | what it is | paper |\n|:--|:--|:--|:--|\n{}", fmt::join(rows, ""));
}

}  // namespace

int plugins(const Arguments& arguments) {
  std::string format;
  auto options = plugin_options();
  options.add_options()("format", po::value(&format)->default_value("text")->value_name("F"),
                        "text or md (the table of plugins/README.md)");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (!parsed->words.empty())
    throw UserError("assay plugins takes no arguments; assay describe NAME shows one component");
  if (format != "text" && format != "md")
    throw UserError("--format: '" + format + "' is not a valid format; give text or md");
  const auto catalogue = worker::load_descriptors(parsed->options["plugin-path"].as<std::string>(), std::nullopt);
  fmt::print("{}", format == "md" ? markdown_of(catalogue) : text_of(catalogue));
  for (const auto& plugin : catalogue.plugins)
    if (!plugin.ok) fmt::print(format == "md" ? stderr : stdout, "refused: {}: {}\n", plugin.file, plugin.error);
  return kDone;
}

}  // namespace assay::cli
