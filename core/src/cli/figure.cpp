// assay figure X: draws the [[figure]]s of an experiment from its records.
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "assay/error.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "compare/results/origin.h"
#include "record/plan_line/plan_lines.h"
#include "report/draw.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

// True if the figure shows an axis that rows are tuned over: it then shows all values of that axis, otherwise the best
// alone.
bool shows_tuned_axis(const study::FigureSettings& figure, const study::Tune& tune) {
  return std::any_of(tune.over.begin(), tune.over.end(), [&](const study::TunedKey& key) {
    return figure.series.empty() || key.name == figure.x ||
           std::find(figure.series.begin(), figure.series.end(), key.name) != figure.series.end();
  });
}

}  // namespace

int figure(const Arguments& arguments) {
  std::string out;
  bool mixed_code = false;
  po::options_description options;
  options.add_options()("out", po::value(&out)->value_name("FOLDER"),
                        "folder to write; default: figures/ beside the plan")(
      "mixed-code", po::bool_switch(&mixed_code), "allow records of different code");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 1)
    throw UserError("assay figure takes one experiment, a TOML file or a name; see assay figure --help");
  const auto experiment = find_experiment(parsed->words[0]);
  const auto settings = compare_settings_of(experiment);
  if (settings.figures.empty())
    throw UserError(
        parsed->words[0] +
        " has no [[figure]]; add one with x (a coordinate, a key or train.flops), y (a metric) and series (an axis)");
  const auto plan = experiment.layout.plan();
  if (!std::filesystem::exists(plan))
    throw UserError(experiment.layout.folder().string() +
                    ": the folder has no results (no plan.jsonl); 'assay run' makes them");
  note_other_plan(experiment);
  const auto lines = record::read_plan_lines(plan);
  const auto folder = out.empty() ? experiment.layout.figures() : std::filesystem::path(out);
  try {
    for (const auto& one : settings.figures) {
      auto request = compare_request(experiment, settings, report::metrics_of(one, lines), mixed_code, arguments);
      if (request.tune && shows_tuned_axis(one, *request.tune)) request.tune = std::nullopt;
      report::draw_figure(report::make_figure(one, compare::collect(request), lines), folder);
      for (const char* end : {".svg", ".pdf", ".csv", ".gp"})
        std::cerr << "wrote " << base::printable((folder / (one.name + end)).string()) << "\n";
    }
  } catch (const compare::MixedCode& refusal) {
    std::cerr << "assay figure: " << refusal.what() << "\n";
    return kProvenanceRefused;
  }
  return kDone;
}

}  // namespace assay::cli
