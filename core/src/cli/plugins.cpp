// assay plugins: what is there, and what was refused and why.
#include <fmt/format.h>

#include <algorithm>

#include "assay/error.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/text_table.h"
#include "config/worker.h"

namespace assay::cli {

int plugins(const Arguments& arguments) {
  const auto parsed = parse_options(arguments, plugin_options());
  if (!parsed) return kDone;
  if (!parsed->words.empty()) throw UserError("assay plugins takes no word; for one component: assay describe NAME");
  const auto catalogue = config::load_descriptors(parsed->options["plugin-path"].as<std::string>(), std::nullopt);
  std::vector<std::vector<std::string>> rows{{"component", "plugin", "version", "what it is"}};
  std::vector<std::string> refused;
  for (const auto& plugin : catalogue.plugins) {
    if (!plugin.ok) refused.push_back(fmt::format("refused: {}: {}\n", plugin.file, plugin.error));
    for (const auto& component : plugin.components)
      rows.push_back({component.kind + "/" + component.name, plugin.name, plugin.version, component.doc});
  }
  std::sort(rows.begin() + 1, rows.end());
  if (rows.size() > 1) fmt::print("{}", aligned(rows));
  if (rows.size() == 1) fmt::print("no plugin could be loaded\n");
  for (const auto& line : refused) fmt::print("{}", line);
  return kDone;
}

}  // namespace assay::cli
