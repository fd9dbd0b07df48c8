// assay compare X: the table of an experiment's records.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>

#include "assay/error.h"
#include "cli/cli.h"
#include "cli/named_experiment.h"
#include "cli/options.h"
#include "compare/collect.h"
#include "compare/format.h"
#include "compare/origin.h"
#include "compare/settings.h"
#include "config/worker.h"
#include "record/build_id.h"
#include "record/files.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

constexpr int kProvenanceRefused = 5;

using Format = std::string (*)(const Table&);

Format format_named(const std::string& name) {
  if (name == "text") return format_text;
  if (name == "md") return format_markdown;
  if (name == "csv") return format_csv;
  if (name == "json") return format_json;
  throw UserError("--format " + name + ": there are text, md, csv and json");
}

// Of the file as it is now where one was named, else as it was when the plan was made.
config::CompareSettings settings_of(const NamedExperiment& experiment) {
  if (experiment.file) return config::read_compare_settings(experiment.file->string());
  return read_saved_compare_settings(experiment.layout.compare());
}

void write_reference(const ExperimentLayout& experiment, const Table& table) {
  std::filesystem::create_directories(experiment.reference());
  for (const auto& [name, content] :
       {std::pair{"table.md", format_markdown(table)}, {"table.csv", format_csv(table)}}) {
    write_atomically(experiment.reference() / name, content);
    std::cerr << "wrote " << (experiment.reference() / name).string() << "\n";
  }
}

}  // namespace

int compare(const Arguments& arguments) {
  std::string format;
  std::vector<std::string> metrics;
  bool mixed_code = false, reference = false;
  po::options_description options;
  options.add_options()("format", po::value(&format)->default_value("text")->value_name("F"), "text, md, csv or json")(
      "metric", po::value(&metrics)->value_name("M")->multitoken(),
      "columns instead of those of [compare]; without @coordinates: all of them")(
      "mixed-code", po::bool_switch(&mixed_code), "compare records of different code all the same")(
      "reference", po::bool_switch(&reference), "also write reference/table.md and reference/table.csv");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 1)
    throw UserError("assay compare: one experiment, by its TOML file or its name; see assay compare --help");
  const auto print = format_named(format);
  const auto experiment = find_experiment(parsed->words[0]);
  const auto settings = settings_of(experiment);
  if (metrics.empty())
    for (const auto& metric : settings.metrics) metrics.push_back(metric.name);
  const auto library = config::worker_program().parent_path().parent_path() / "lib" / "libassay_run.so";
  CompareRequest request{.experiment = experiment.layout,
                         .metrics = metrics,
                         .baseline = settings.baseline,
                         .mixed_code = mixed_code,
                         .current_code = build_id_of_file(library),
                         .command = fmt::format("assay compare {}", fmt::join(arguments.words, " "))};
  try {
    const auto table = collect(request);
    std::cout << print(table);
    if (reference) write_reference(experiment.layout, table);
  } catch (const MixedCode& refusal) {
    std::cerr << "assay compare: " << refusal.what() << "\n";
    return kProvenanceRefused;
  }
  return kDone;
}

}  // namespace assay::cli
