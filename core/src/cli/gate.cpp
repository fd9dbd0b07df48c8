// assay gate X --baseline FILE: has anything become worse than what was kept?
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

// METRIC=AMOUNT, or AMOUNT for all. A metric's name may hold "=", the amount does not.
void add_tolerance(const std::string& text, compare::Tolerances& tolerances) {
  const auto equals = text.rfind('=');
  const bool named = equals != std::string::npos;
  tolerances[named ? text.substr(0, equals) : ""] = compare::read_tolerance(named ? text.substr(equals + 1) : text);
}

// A name that is no column's, with or without coordinates, would tolerate nothing.
void check_names(const compare::Tolerances& tolerances, const compare::Table& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns)
    for (const auto& name : {column.name, column.name.substr(0, column.name.find('@'))})
      if (compare::is_tested(column) && std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  for (const auto& [name, tolerance] : tolerances)
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      throw UserError(fmt::format("tolerance of '{}': no such metric is guarded{}", name,
                                  base::suggestion(name, names, "there are ")));
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
  options.add_options()("baseline", po::value(&file)->value_name("FILE"), "the kept values, JSON")(
      "update", po::bool_switch(&update), "keep today's values in FILE instead")(
      "tolerance", po::value(&tolerance_texts)->value_name("[M=]T")->composing(),
      "how much worse a metric, or any, may become: 0.01 or 1%; FILE keeps those given with --update")(
      "metric", po::value(&metrics)->value_name("M")->multitoken(), "metrics instead of those of [compare]")(
      "mixed-code", po::bool_switch(&mixed_code), "take records of different code all the same");
  const auto parsed = parse_options(arguments, options);
  if (!parsed) return kDone;
  if (parsed->words.size() != 1 || file.empty())
    throw UserError("assay gate: one experiment and --baseline FILE; see assay gate --help");
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
        throw UserError(fmt::format("{}: not written, for no run of '{}' has a value to keep; run it first", file,
                                    table.experiment));
      base::write_atomically(file, baseline.dump(1) + "\n");
      std::cerr << "wrote " << base::printable(file) << "\n";
      print(compare::not_kept(table), std::cerr);
      return kDone;
    }
    if (!std::filesystem::exists(file)) throw UserError(file + ": no such file; --update writes it");
    const auto baseline = compare::read_gate_baseline(base::read_file(file), file);
    tolerances = compare::tolerances_of(baseline);
    for (const auto& text : tolerance_texts) add_tolerance(text, tolerances);
    check_names(tolerances, table);
    const auto checks = assay::compare::gate(table, baseline, tolerances);
    if (checks.empty()) throw UserError(file + ": keeps no metric of any row; --update writes what there is now");
    print_checks(checks);
    print(compare::not_guarded(table, baseline), std::cout);
    return verdict_of(checks);
  } catch (const compare::MixedCode& refusal) {
    std::cerr << "assay gate: " << refusal.what() << "\n";
    return kProvenanceRefused;
  }
}

}  // namespace assay::cli
