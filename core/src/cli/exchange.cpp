// assay export RUN and assay import FOLDER convert weights to and from the formats of other libraries; assay export X
// writes an experiment's numbers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>

#include "assay/error.h"
#include "base/files.h"
#include "cli/export_runs.h"
#include "cli/shared/cli.h"
#include "cli/shared/named_run.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "cli/shared/run_on_hand.h"
#include "plan/line_maker.h"
#include "schema/argument_component.h"
#include "worker/client.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;
using nlohmann::json;

// The formats of export: CSV and those of plugins.
std::string known_forms(const schema::Catalogue& catalogue) {
  return fmt::format("csv (an experiment's numbers), {} (its events), {} (a run's weights)",
                     fmt::join(catalogue.names_of("tracker"), ", "), fmt::join(catalogue.names_of("exchange"), ", "));
}

json exchange_of(const std::string& verb, const std::string& option, const std::string& name,
                 const std::vector<std::string>& words, const schema::Catalogue& catalogue) {
  if (name.empty())
    throw UserError(fmt::format("assay {}: --{} is missing; names are {}", verb, option,
                                fmt::join(catalogue.names_of("exchange"), ", ")));
  return schema::component_of_words("exchange", name, {words.begin() + 1, words.end()}, catalogue);
}

// Fills in the parameters that the experiment gives this exchange in [[exchange]], unless the command line sets them.
json as_planned(const record::PlanLine& line, json exchange, const std::vector<std::string>& words) {
  for (const auto& [label, planned] : line.exchanges) {
    if (planned.at("use") != exchange.at("use")) continue;
    for (auto& [key, value] : exchange.items())
      if (std::none_of(words.begin() + 1, words.end(),
                       [&, &name = key](const std::string& word) { return word.starts_with(name + "="); }))
        value = planned.value(key, value);
    break;
  }
  return exchange;
}

fs::path empty_folder(const std::string& verb, const std::string& out) {
  if (out.empty())
    throw UserError(fmt::format("assay {}: --out FOLDER is missing; give a new or an empty folder", verb));
  if (fs::exists(out) && (!fs::is_directory(out) || !fs::is_empty(out)))
    throw UserError(fmt::format("{}: the path exists and is not an empty folder; give another --out", out));
  return fs::absolute(out);
}

// Writes {"use": "gpt", "layers": 2} as TOML's { use = "gpt", layers = 2 }; JSON strings and numbers are valid TOML.
std::string inline_toml(const json& value) {
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const auto& item : value) items.push_back(inline_toml(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
  }
  if (!value.is_object()) return value.dump();
  std::vector<std::string> items;
  for (const auto& [key, item] : value.items()) items.push_back(key + " = " + inline_toml(item));
  return fmt::format("{{ {} }}", fmt::join(items, ", "));
}

}  // namespace

int export_results(const Arguments& arguments) {
  std::string to, out;
  bool curves = false;
  auto options = plugin_options();
  options.add_options()(
      "to", po::value(&to)->value_name("NAME"),
      "csv or a tracker, for an experiment or a run; a component of kind exchange, for a run's weights")(
      "out", po::value(&out)->value_name("FOLDER"),
      "new or empty folder to write; for csv a file, by default standard output")(
      "curves", po::bool_switch(&curves), "with csv: write every number of every step instead of the records' metrics");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.empty())
    throw UserError("assay export: an experiment or a RUN is missing; see assay export --help");
  if (curves && to != "csv") throw UserError("assay export: --curves requires --to csv");
  if (to == "csv") return export_csv(parsed->words, out, curves);
  const auto catalogue = worker::load_descriptors(parsed->options["plugin-path"].as<std::string>(), std::nullopt);
  if (!catalogue.find("tracker", to) && !catalogue.find("exchange", to))
    throw UserError(fmt::format("assay export: --to {}; names are {}",
                                to.empty() ? "is missing" : "'" + to + "' is not known", known_forms(catalogue)));
  if (catalogue.find("tracker", to))
    return export_to_tracker(parsed->words, to, empty_folder("export", out).string(), catalogue);
  const auto run = find_run(parsed->words[0]);
  note_other_plan({run.experiment(), std::nullopt});
  const auto exchange = as_planned(run.line, exchange_of("export", "to", to, parsed->words, catalogue), parsed->words);
  const auto folder = empty_folder("export", out);
  check_weights(run);
  auto line = run.line;
  line.plugins = current_plugins(line, catalogue, "exchange/" + to);
  line.evaluate.clear();
  line.trackers.clear();
  const auto written = worker::export_weights({{"line", line.to_json()},
                                               {"weights", run.layout.weights().string()},
                                               {"exchange", exchange},
                                               {"out", folder.string()}});
  for (const auto& name : written) std::cout << (folder / name.get<std::string>()).string() << "\n";
  return kDone;
}

int import_weights(const Arguments& arguments) {
  std::string from, out;
  auto options = plugin_options();
  options.add_options()("from", po::value(&from)->value_name("NAME"),
                        "library of the weights: a component of kind exchange")(
      "out", po::value(&out)->value_name("FOLDER"), "new or empty folder for weights.safetensors and model.toml");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.empty()) throw UserError("assay import: a FOLDER is missing; see assay import --help");
  if (!fs::is_directory(parsed->words[0]))
    throw UserError(fmt::format("{}: the path is not a folder", parsed->words[0]));
  const auto catalogue = worker::load_descriptors(parsed->options["plugin-path"].as<std::string>(), std::nullopt);
  const auto exchange = exchange_of("import", "from", from, parsed->words, catalogue);
  const auto folder = empty_folder("import", out);
  const auto found = catalogue.find("exchange", from);
  const auto answer =
      worker::import_weights({{"plugins", record::to_json({{"exchange/" + from, plan::planned_plugin(*found.plugin)}})},
                              {"exchange", exchange},
                              {"from", fs::absolute(parsed->words[0]).string()},
                              {"out", folder.string()}})
          .at(0);
  std::string toml =
      fmt::format("# {}, whose vocabulary has {} tokens\n[model]\n", parsed->words[0], answer.at("vocabulary").dump());
  for (const auto& [key, value] : answer.at("model").items()) toml += fmt::format("{} = {}\n", key, inline_toml(value));
  base::write_atomically(folder / "model.toml", toml);
  for (const char* name : {"model.toml", "weights.safetensors"}) std::cout << (folder / name).string() << "\n";
  return kDone;
}

}  // namespace assay::cli
