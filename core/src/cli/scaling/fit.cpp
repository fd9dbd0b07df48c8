// assay scaling fit: fits scaling laws to the runs of an experiment, or to a table of other people.
#include "scaling/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "assay/error.h"
#include "base/cores.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/sha256.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "compare/results/origin.h"
#include "report/scaling_figures.h"
#include "scaling/from_results.h"
#include "scaling/points.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

struct ScalingOptions {
  std::string csv, columns, format, figures;
  bool keep_duplicates = false, mixed_code = false, reference = false;
};

po::options_description described(ScalingOptions& given) {
  po::options_description options;
  options.add_options()("csv", po::value(&given.csv)->value_name("FILE"),
                        "fit this table instead of an experiment; key=value are keys of [scaling]")(
      "columns", po::value(&given.columns)->value_name("N=..,D=..,loss=.."),
      "the table's columns with parameters, tokens (or C=.. for FLOPs) and loss; default: N, D, C, loss")(
      "keep-duplicates", po::bool_switch(&given.keep_duplicates), "equal rows of the table are runs of their own")(
      "format", po::value(&given.format)->default_value("text")->value_name("F"), "text, md, csv, json or latex")(
      "figures", po::value(&given.figures)->value_name("FOLDER"),
      "draw loss against FLOPs, IsoFLOP profiles and residuals into this folder, with the CSV behind each")(
      "reference", po::bool_switch(&given.reference),
      "also write scaling.md and scaling.csv into the reference/ of the experiment's results")(
      "mixed-code", po::bool_switch(&given.mixed_code), "allow records of different code");
  return options;
}

using ReportFormat = std::string (*)(const scaling::Report&);

ReportFormat report_format(const std::string& name) {
  if (name == "text") return scaling::format_text;
  if (name == "md") return scaling::format_markdown;
  if (name == "csv") return scaling::format_csv;
  if (name == "json") return scaling::format_json;
  if (name == "latex") return scaling::format_latex;
  throw UserError("--format: '" + name + "' is not a valid format; give text, md, csv, json or latex");
}

scaling::Fits fit_table(const ScalingOptions& given, const Arguments& arguments,
                        const std::vector<std::string>& words) {
  for (const auto& word : words)
    if (word.find('=') == std::string::npos)
      throw UserError(
          fmt::format("assay scaling fit --csv takes no experiment, but '{}' is given; with a table, words are "
                      "key=value of [scaling]",
                      word));
  for (const auto& word : words)
    for (const char* key : {"metric=", "by=", "flops=", "count_n="})
      if (word.starts_with(key))
        throw UserError(
            fmt::format("assay scaling fit --csv: '{}' is for experiments; a table has its own columns (--columns) "
                        "and one law",
                        word));
  if (given.reference)
    throw UserError("assay scaling fit --csv: --reference is for experiments; direct the output to a file");
  const auto settings = study::scaling_settings_of(words);
  if (settings.envelope)
    throw UserError(
        "assay scaling fit: the envelope needs training curves, which a table of final losses does not have; "
        "leave it out of approaches");
  const auto content = base::read_file(given.csv);
  auto points =
      scaling::points_of(scaling::parse_csv(content, given.csv), scaling::column_names(given.columns), given.csv);
  scaling::check_points(points, given.csv, given.keep_duplicates);
  scaling::RunGroup group{.points = std::move(points)};
  auto fits =
      scaling::fit_groups({std::move(group)}, scaling::fit_options_of(settings, base::available_cores()), given.csv);
  fits.report.provenance = {{"table", given.csv + " " + base::sha256(content)}, {"command", command_of(arguments)}};
  return fits;
}

void write_reference(const std::filesystem::path& folder, const scaling::Report& fitted) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, content] : {std::pair("scaling.md", scaling::format_markdown(fitted)),
                                      std::pair("scaling.csv", scaling::format_csv(fitted))}) {
    base::write_atomically(folder / name, content);
    std::cerr << "wrote " << base::printable((folder / name).string()) << "\n";
  }
}

scaling::Fits fit_experiment(const ScalingOptions& given, const Arguments& arguments, const std::string& word) {
  if (!given.columns.empty() || given.keep_duplicates)
    throw UserError("assay scaling fit: --columns and --keep-duplicates belong to --csv");
  const auto experiment = find_experiment(word);
  const auto compared = compare_settings_of(experiment);
  const auto& settings = compared.scaling;
  if (!settings)
    throw UserError(word +
                    " has no [scaling]; add one with metric, the loss in nats per token, and by, the axes whose values "
                    "have a law each");
  note_other_plan(experiment);
  const auto results = compare::read_results(experiment.layout, current_training_code());
  compare::refuse_mixed_code(results, experiment.layout, given.mixed_code);
  auto measured = scaling::measured_groups(results, *settings, compared.baseline);
  for (const auto& group : measured.groups) scaling::check_points(group.points, group.name, true);
  auto options = scaling::fit_options_of(*settings, base::available_cores());
  options.baseline = measured.baseline;
  if (compared.baseline && !measured.baseline)
    measured.notes.push_back(
        "There is no compute multiplier, because the baseline of [compare] is not one of the groups of [scaling] by.");
  auto fits = scaling::fit_groups(std::move(measured.groups), options,
                                  results.experiment + ": " + settings->metric.name, measured.notes);
  fits.report.provenance = compare::provenance_of(results, command_of(arguments));
  if (given.reference) write_reference(experiment.layout.reference(), fits.report);
  return fits;
}

}  // namespace

int scaling_fit(const Arguments& arguments) {
  ScalingOptions given;
  const auto parsed = parse_options(arguments, described(given));
  if (!parsed) return kDone;
  const auto print = report_format(given.format);
  if (given.csv.empty() && parsed->words.size() != 1)
    throw UserError(
        "assay scaling fit takes one experiment, a TOML file or a name, or --csv FILE; see assay scaling fit --help");
  try {
    const auto fits = given.csv.empty() ? fit_experiment(given, arguments, parsed->words[0])
                                        : fit_table(given, arguments, parsed->words);
    std::cout << print(fits.report);
    if (given.format == "csv")
      for (const auto& note : fits.report.notes) std::cerr << base::printable(note) << "\n";
    if (given.figures.empty()) return kDone;
    for (const auto& file : report::draw_scaling_figures(fits, given.figures))
      std::cerr << "wrote " << base::printable(file.string()) << "\n";
  } catch (const compare::MixedCode& refusal) {
    std::cerr << "assay scaling fit: " << refusal.what() << "\n";
    return kProvenanceRefused;
  }
  return kDone;
}

}  // namespace assay::cli
