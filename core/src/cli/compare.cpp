// assay compare X [Y...]: the table of experiments' records.
#include <fmt/format.h>

#include <iostream>
#include <set>

#include "assay/error.h"
#include "cli/cli.h"
#include "cli/comparison.h"
#include "cli/options.h"
#include "cli/plan_note.h"
#include "compare/format.h"
#include "compare/origin.h"
#include "compare/rearrange.h"
#include "record/files.h"
#include "record/printable.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

using TableFormat = std::string (*)(const Table&);

TableFormat table_format(const std::string& name) {
  if (name == "text") return format_text;
  if (name == "md") return format_markdown;
  if (name == "csv") return format_csv;
  if (name == "json") return format_json;
  if (name == "latex") return format_latex;
  throw UserError("--format " + name + ": there are text, md, csv, json and latex");
}

Spread spread_named(const std::string& name) {
  for (const auto spread : {Spread::kCi95, Spread::kStd, Spread::kSem})
    if (name == spread_name(spread)) return spread;
  throw UserError("--spread " + name + ": there are ci95, std and sem");
}

void write_reference(const NamedExperiment& experiment, const Table& table, const config::CompareSettings& settings,
                     bool mixed_code, const Arguments& arguments) {
  const auto folder = experiment.layout.reference();
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& content) {
    write_atomically(folder / name, content);
    std::cerr << "wrote " << printable((folder / name).string()) << "\n";
  };
  write("table.md", format_markdown(table));
  write("table.csv", format_csv(table));
  write("table.tex", format_latex(table));
  if (!settings.claims.empty())
    write("claims.md", format_claims_markdown(judge_claims(experiment, settings, mixed_code, arguments)));
}

struct Options {
  std::string format, sort, pivot, spread;
  std::vector<std::string> metrics, group;
  bool mixed_code = false, reference = false, all_columns = false;
};

po::options_description described(Options& given) {
  po::options_description options;
  options.add_options()("format", po::value(&given.format)->default_value("text")->value_name("F"),
                        "text, md, csv, json or latex")(
      "metric", po::value(&given.metrics)->value_name("M")->multitoken(),
      "columns instead of those of [compare]; without @coordinates: all of them")(
      "group", po::value(&given.group)->value_name("AXIS")->multitoken(),
      "a row for each of these axes' values: the mean over all others, seed by seed")(
      "pivot", po::value(&given.pivot)->value_name("AXIS"), "this axis across: a column for each of its values")(
      "sort", po::value(&given.sort)->value_name("M"), "rows by a column, -M downwards; or label")(
      "spread", po::value(&given.spread)->default_value("ci95")->value_name("S"), "ci95, std or sem")(
      "all-columns", po::bool_switch(&given.all_columns), "every metric, and axes in which no rows differ")(
      "mixed-code", po::bool_switch(&given.mixed_code), "compare records of different code all the same")(
      "reference", po::bool_switch(&given.reference), "also write reference/: table.md, .csv, .tex and claims.md");
  return options;
}

// All but the first. Named twice, an experiment's seeds would count twice.
std::vector<ExperimentLayout> other_experiments(const std::vector<std::string>& words) {
  std::vector<ExperimentLayout> others;
  std::set<std::filesystem::path> folders;
  for (const auto& word : words) {
    const auto named = find_experiment(word);
    auto layout = named.layout;
    if (!folders.insert(std::filesystem::weakly_canonical(layout.folder())).second)
      throw UserError(fmt::format("assay compare: '{}' is there already", word));
    note_other_plan(named);
    others.push_back(std::move(layout));
  }
  others.erase(others.begin());
  return others;
}

Table table_of(const CompareRequest& request, const Options& given) {
  auto table = collect(request);
  if (!given.sort.empty()) sort_rows(table, given.sort);
  if (!given.pivot.empty()) pivot(table, given.pivot);
  return table;
}

}  // namespace

int compare(const Arguments& arguments) {
  Options given;
  const auto parsed = parse_options(arguments, described(given));
  if (!parsed) return kDone;
  if (parsed->words.empty())
    throw UserError("assay compare: an experiment or several, by TOML file or name; see assay compare --help");
  if (given.reference && parsed->words.size() > 1)
    throw UserError("assay compare --reference: the committed table is one experiment's; name one");
  const auto print = table_format(given.format);
  const auto spread = spread_named(given.spread);
  const auto experiment = find_experiment(parsed->words[0]);
  const auto settings = compare_settings_of(experiment);
  auto request = compare_request(experiment, settings, given.metrics, given.mixed_code, arguments);
  request.others = other_experiments(parsed->words);
  request.pool_to = given.group;
  request.all_columns = given.all_columns;
  request.spread = spread;
  try {
    const auto table = table_of(request, given);
    std::cout << print(table);
    if (given.reference) write_reference(experiment, table, settings, given.mixed_code, arguments);
  } catch (const MixedCode& refusal) {
    std::cerr << "assay compare: " << refusal.what() << "\n";
    return kProvenanceRefused;
  }
  return kDone;
}

}  // namespace assay::cli
