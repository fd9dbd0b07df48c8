// assay compare X [Y...]: prints the table of experiments' records.
#include <fmt/format.h>

#include <iostream>
#include <set>

#include "assay/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "compare/formats/format.h"
#include "compare/formats/format_claims.h"
#include "compare/results/origin.h"
#include "compare/table/rearrange.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

using TableFormat = std::string (*)(const compare::Table&);

TableFormat table_format(const std::string& name) {
  if (name == "text") return compare::format_text;
  if (name == "md") return compare::format_markdown;
  if (name == "csv") return compare::format_csv;
  if (name == "json") return compare::format_json;
  if (name == "latex") return compare::format_latex;
  throw UserError("--format: '" + name + "' is not a valid format; give text, md, csv, json or latex");
}

compare::Spread spread_named(const std::string& name) {
  for (const auto spread : {compare::Spread::kCi95, compare::Spread::kStd, compare::Spread::kSem})
    if (name == compare::spread_name(spread)) return spread;
  throw UserError("--spread: '" + name + "' is not a valid spread; give ci95, std or sem");
}

void write_reference(const NamedExperiment& experiment, const compare::Table& table,
                     const study::CompareSettings& settings, bool mixed_code, const Arguments& arguments) {
  const auto folder = experiment.layout.reference();
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& content) {
    base::write_atomically(folder / name, content);
    std::cerr << "wrote " << base::printable((folder / name).string()) << "\n";
  };
  write("table.md", compare::format_markdown(table));
  write("table.csv", compare::format_csv(table));
  write("table.tex", compare::format_latex(table));
  if (!settings.claims.empty())
    write("claims.md", compare::format_claims_markdown(judge_claims(experiment, settings, mixed_code, arguments)));
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
      "metrics to show instead of those in [compare]; a name without @coordinates selects all of them")(
      "group", po::value(&given.group)->value_name("AXIS")->multitoken(),
      "one row per value of these axes, averaged over all other axes, per seed")(
      "pivot", po::value(&given.pivot)->value_name("AXIS"), "one column per value of this axis")(
      "sort", po::value(&given.sort)->value_name("M"), "sort rows by a column, by -M in descending order, or by label")(
      "spread", po::value(&given.spread)->default_value("ci95")->value_name("S"), "ci95, std or sem")(
      "all-columns", po::bool_switch(&given.all_columns), "show every metric, and axes in which no rows differ")(
      "mixed-code", po::bool_switch(&given.mixed_code), "allow records of different code")(
      "reference", po::bool_switch(&given.reference), "also write reference/: table.md, .csv, .tex and claims.md");
  return options;
}

// Returns all experiments but the first. If an experiment were named twice, its seeds would count twice.
std::vector<record::ExperimentLayout> other_experiments(const std::vector<std::string>& words) {
  std::vector<record::ExperimentLayout> others;
  std::set<std::filesystem::path> folders;
  for (const auto& word : words) {
    const auto named = find_experiment(word);
    auto layout = named.layout;
    if (!folders.insert(std::filesystem::weakly_canonical(layout.folder())).second)
      throw UserError(fmt::format("assay compare: '{}' is given twice; name each experiment once", word));
    note_other_plan(named);
    others.push_back(std::move(layout));
  }
  others.erase(others.begin());
  return others;
}

compare::Table table_of(const compare::CompareRequest& request, const Options& given) {
  auto table = compare::collect(request);
  if (!given.sort.empty()) compare::sort_rows(table, given.sort);
  if (!given.pivot.empty()) compare::pivot(table, given.pivot);
  return table;
}

}  // namespace

int compare(const Arguments& arguments) {
  Options given;
  const auto parsed = parse_options(arguments, described(given));
  if (!parsed) return kDone;
  if (parsed->words.empty())
    throw UserError("assay compare takes one or more experiments, TOML files or names; see assay compare --help");
  if (given.reference && parsed->words.size() > 1)
    throw UserError(
        "assay compare --reference: the committed table belongs to one experiment, but several are given; name one");
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
  } catch (const compare::MixedCode& refusal) {
    std::cerr << "assay compare: " << refusal.what() << "\n";
    return kProvenanceRefused;
  }
  return kDone;
}

}  // namespace assay::cli
