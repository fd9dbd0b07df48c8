// assay gate X --baseline FILE: tests whether any row is worse than the baseline.
#include "compare/verdicts/gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "assay/error.h"
#include "base/files.h"
#include "base/nearest.h"
#include "base/printable.h"
#include "cli/shared/cli.h"
#include "cli/shared/comparison.h"
#include "cli/shared/options.h"
#include "cli/shared/plan_note.h"
#include "cli/shared/text_table.h"
#include "compare/results/origin.h"

namespace assay::cli {
namespace {

namespace po = boost::program_options;

constexpr int kRegression = 3;

// Parses METRIC=AMOUNT, or AMOUNT for all metrics. A metric's name may contain "=", the amount does not.
void add_tolerance(const std::string& text, compare::Tolerances& tolerances) {
  const auto equals = text.rfind('=');
  const bool named = equals != std::string::npos;
  tolerances[named ? text.substr(0, equals) : ""] = compare::read_tolerance(named ? text.substr(equals + 1) : text);
}

// Throws UserError for a tolerance whose name is not that of a column, with or without coordinates: it would have no
// effect.
void check_names(const compare::Tolerances& tolerances, const compare::Table& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns)
    for (const auto& name : {column.name, column.name.substr(0, column.name.find('@'))})
      if (compare::is_tested(column) && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  for (const auto& [name, tolerance] : tolerances)
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      throw UserError(fmt::format("tolerance of '{}': no tested metric has this name{}", name,
                                  base::suggestion(name, names, "tested metrics are ")));
}

void print_checks(const std::vector<compare::GateCheck>& checks) {
  std::vector<std::vector<std::string>> rows{{"verdict", "run", "metric", "worse by", "tolerance", ""}};
  for (const auto& check : checks) {
    const auto difference = check.difference ? fmt::format("{:.4g} \u00b1 {:.2g}", check.difference->test.difference,
                                                           compare::half_width(check.difference->test))
                                             : "-";
    rows.push_back({compare::name_of(check.verdict), check.row, check.metric, difference,
                    fmt::format("{:.4g}", check.tolerance), check.reason});
  }
  std::cout << aligned(rows);
}

void print(const std::vector<std::string>& lines, std::ostream& out) {
  for (const auto& line : lines) out << base::printable(line) << "\n";
}

int verdict_of(const std::vector<compare::GateCheck>& checks) {
  int code = kDone;
  for (const auto& check : checks) {
    if (check.verdict == compare::GateVerdict::kRegression) return kRegression;
    if (check.verdict == compare::GateVerdict::kUndecided) code = kUndecided;
  }
  return code;
}

}  // namespace

int gate(const Arguments& arguments) {
  std::string file;
  std::vector<std::string> metrics, tolerance_texts;
  bool update = false, mixed_code = false;
  po::options_description options;
  options.add_options()("baseline", po::value(&file)->value_name("FILE"), "file of the baseline (JSON)")(
      "update", po::bool_switch(&update), "write the current values to FILE instead of testing them")(
      "tolerance", po::value(&tolerance_texts)->value_name("[M=]T")->composing(),
      "allowed deterioration of metric M, or of every metric: 0.01 or 1%; --update stores it in FILE")(
      "metric", po::value(&metrics)->value_name("M")->multitoken(), "metrics to test instead of those in [compare]")(
      "mixed-code", po::bool_switch(&mixed_code), "allow records of different code");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 1 || file.empty())
    throw UserError("assay gate takes one experiment and --baseline FILE; see assay gate --help");
  const auto experiment = find_experiment(parsed->words[0]);
  note_other_plan(experiment);
  const auto request = compare_request(experiment, compare_settings_of(experiment), metrics, mixed_code, arguments);
  try {
    const auto table = compare::collect(request);
    compare::Tolerances tolerances;
    if (update) {
      if (std::filesystem::exists(file))
        tolerances = compare::tolerances_of(compare::read_gate_baseline(base::read_file(file), file));
      for (const auto& text : tolerance_texts) add_tolerance(text, tolerances);
      check_names(tolerances, table);
      const auto baseline = compare::gate_baseline(table, tolerances);
      if (baseline["rows"].empty())
        throw UserError(
            fmt::format("{}: the file is not written because no run of '{}' has a value; run the experiment first",
                        file, table.experiment));
      base::write_atomically(file, baseline.dump(1) + "\n");
      std::cerr << "wrote " << base::printable(file) << "\n";
      print(compare::rows_without_values(table), std::cerr);
      return kDone;
    }
    if (!std::filesystem::exists(file)) throw UserError(file + ": there is no such file; --update writes it");
    const auto baseline = compare::read_gate_baseline(base::read_file(file), file);
    tolerances = compare::tolerances_of(baseline);
    for (const auto& text : tolerance_texts) add_tolerance(text, tolerances);
    check_names(tolerances, table);
    const auto checks = assay::compare::gate(table, baseline, tolerances);
    if (checks.empty())
      throw UserError(file + ": the baseline has no metric of any row; --update writes the current values");
    print_checks(checks);
    print(compare::rows_without_baseline(table, baseline), std::cout);
    return verdict_of(checks);
  } catch (const compare::MixedCode& refusal) {
    std::cerr << "assay gate: " << refusal.what() << "\n";
    return kProvenanceRefused;
  }
}

}  // namespace assay::cli
